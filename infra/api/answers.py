"""Answers: rows with the place where the next page begins, and what is answered instead of them."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, NamedTuple, TypeVar, cast

import orjson
from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from infra.reading.reader import Answer, Reader
from infra.terminal.tables import moment
from schemas.errors import Mistake
from schemas.event import Record
from schemas.times import parse, rfc3339

R = TypeVar("R", bound=Record)


class Absent(Mistake):
    """There is nothing under that name (404)."""


def _moment(value: object) -> object:
    return parse(moment(value)) if isinstance(value, datetime) else _text(value)


def _text(value: object) -> object:
    return parse(value) if isinstance(value, str) else value


# A time of the store: a datetime in UTC there, RFC 3339 in an answer.
Moment = Annotated[
    int,
    BeforeValidator(_moment),
    PlainSerializer(rfc3339, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


class Rows(Record, Generic[R]):
    """A list. `more`: there are further rows; `next` given as `after` begins with them.

    `snapshot` is when what is answered was written.
    """

    rows: tuple[R, ...]
    more: bool = False
    next: str | None = None
    snapshot: Moment


class Problem(Record):
    """What was wrong, in one sentence."""

    error: str


class Key(NamedTuple):
    """The columns by which a list is ordered, whose values never change and tell its rows apart.

    Pages are cut behind values and not behind numbers of rows, so that a new snapshot between two
    of them repeats no row and leaves none out.
    """

    columns: tuple[str, ...]
    types: tuple[str, ...]
    newest_first: bool = False


class Listed(NamedTuple):
    """One page of rows, as the store has them."""

    rows: list[dict[str, Any]]
    next: str | None


def page(
    reader: Reader,
    query: str,
    asked: dict[str, object],
    key: Key,
    *,
    after: str | None,
    limit: int,
    seconds: float,
) -> Listed:
    """The rows of `query` behind `after`, in the order of `key`."""
    way, sign = ("DESC", "<") if key.newest_first else ("ASC", ">")
    order = ", ".join(f"{column} {way}" for column in key.columns)
    behind = ""
    if after is not None:
        places = _place(after, key)
        asked = asked | {f"after_{n}": place for n, place in enumerate(places)}
        casts = ", ".join(f"CAST($after_{n} AS {kind})" for n, kind in enumerate(key.types))
        behind = f"WHERE ({', '.join(key.columns)}) {sign} ({casts})"
    text = f"SELECT * FROM ({query}) {behind} ORDER BY {order} LIMIT {limit + 1}"  # noqa: S608 - of ours
    answer = reader.run(text, asked, rows=limit, seconds=seconds)
    rows = dicts(answer)
    return Listed(rows, _next(rows[-1], key) if answer.more else None)


def dicts(answer: Answer) -> list[dict[str, Any]]:
    """Rows by the names of their columns; JSON columns as values."""
    parsed = {
        name for name, kind in zip(answer.columns, answer.types, strict=True) if kind == "JSON"
    }
    rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
    for row in rows:
        for name in parsed:
            row[name] = None if row[name] is None else orjson.loads(row[name])
    return rows


def _next(row: dict[str, Any], key: Key) -> str:
    values = [moment(v) if isinstance(v := row[c], datetime) else v for c in key.columns]
    return urlsafe_b64encode(orjson.dumps(values)).decode().rstrip("=")


def _place(after: str, key: Key) -> Sequence[object]:
    try:
        values = orjson.loads(urlsafe_b64decode(after + "=" * (-len(after) % 4)))
    except ValueError:
        values = None
    found = cast("list[object]", values) if isinstance(values, list) else []
    if len(found) == len(key.columns) and all(map(_is, found, key.types)):
        return found
    raise Mistake("after is no place in this list; give what an answer before said as `next`")


def _is(value: object, kind: str) -> bool:
    if not isinstance(value, str) or kind != "TIMESTAMP":
        return isinstance(value, str)
    try:
        parse(value)
    except ValueError:
        return False
    return True


# How many rows are wanted; the server's own bound is told in `more`.
Limit = Annotated[int, Field(ge=1, le=1_000_000)]
