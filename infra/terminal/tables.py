"""Rows as text: a table for people, JSON lines and CSV for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import orjson

from infra.reading.reader import Answer
from infra.terminal.shown import short, text
from schemas.times import rfc3339

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WIDEST = 60  # characters of a column in a table that a person looks at
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run


def moment(value: datetime) -> str:
    """RFC 3339 of a datetime; a naive one is in UTC."""
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    return rfc3339((aware - _EPOCH) // timedelta(microseconds=1))


def table(
    columns: Sequence[str], rows: Sequence[Sequence[object]], *, whole: bool
) -> Iterator[str]:
    """Aligned lines under a heading; unless `whole`, cells are cut.

    Texts of records cannot act on the terminal.
    """
    limit = 10**9 if whole else WIDEST
    cells = [[_cell(value, limit) for value in row] for row in rows]
    lines = [[text(column, limit) for column in columns], *cells]
    widths = [max(len(line[n]) for line in lines) for n in range(len(columns))]
    for number, line in enumerate(lines):
        yield "  ".join(map(str.ljust, line, widths)).rstrip()
        if number == 0:
            yield "  ".join("-" * width for width in widths)


def json_lines(answer: Answer) -> Iterator[str]:
    """One object per row; JSON columns are values, not texts."""
    parsed = [n for n, kind in enumerate(answer.types) if kind == "JSON"]
    for row in answer.rows:
        values = list(row)
        for n in parsed:
            values[n] = None if row[n] is None else orjson.loads(row[n])
        yield encoded(dict(zip(answer.columns, values, strict=True)))


def encoded(value: object) -> str:
    """JSON of anything that DuckDB returns; times as RFC 3339."""
    options = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS
    try:
        return orjson.dumps(value, default=_plain, option=options).decode()
    except TypeError:  # a whole number of more than 64 bits, which a sum may be
        return json.dumps(value, default=_plain)


def csv_lines(answer: Answer) -> Iterator[str]:
    """A heading and the rows.

    A text that a spreadsheet would take for a formula gets an apostrophe.
    """
    yield _csv([_csv_cell(column) for column in answer.columns])
    for row in answer.rows:
        yield _csv([_csv_cell(value) for value in row])


def _csv(cells: Sequence[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)  # what it ends with is what it quotes
    return line.getvalue().removesuffix("\r\n")


def _csv_cell(value: object) -> object:
    if isinstance(value, int | float | None):
        return value
    if isinstance(value, datetime):
        return moment(value)
    said = value if isinstance(value, str) else encoded(value).strip('"')
    return f"'{said}" if said.startswith(_FORMULA) else said


def _cell(value: object, limit: int) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, list):
        value = ", ".join(map(str, cast("list[object]", value)))
    return text(value, limit) if limit > WIDEST else short(value, limit)


def _plain(value: Any) -> Any:  # noqa: ANN401 - orjson asks
    return moment(value) if isinstance(value, datetime) else str(value)
