"""Tables: the rows of a CSV file, each with its exact bytes."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from streams.source import Json, Raw, Unreadable


def rows(document: bytes, delimiters: str = ",;", context: Json = None) -> Iterator[Raw]:
    """The rows below the heading as objects of the heading's names; `context` is that of each.

    The delimiter is the one that the heading has most of. A row that cannot be told apart is a
    record without an object. Raises Unreadable for all of it, before the first row.
    """
    try:
        document.decode()
    except UnicodeDecodeError as error:
        raise Unreadable("encoding", f"no UTF-8: {error.reason}") from None
    lines = _lines(document.removeprefix(b"\xef\xbb\xbf"))
    heading = next(lines, b"").decode()
    delimiter = max(delimiters, key=heading.count)
    names = _cells(heading, delimiter)
    if names is None or not any(names):
        raise Unreadable("wrong-shape", "the first line of a table names its columns")
    return (Raw(line, context, _row(names, _cells(line.decode(), delimiter))) for line in lines)


def _row(names: list[str], cells: list[str] | None) -> dict[str, str]:
    if cells is None or len(cells) > len(names):
        return {}
    return {name.strip(): cell for name, cell in zip(names, cells, strict=False) if cell}


def _cells(line: str, delimiter: str) -> list[str] | None:
    try:
        return next(csv.reader([line], delimiter=delimiter), None)
    except csv.Error:  # a cell that is larger than the reader takes
        return None


def _lines(document: bytes) -> Iterator[bytes]:
    """The rows as they stand: one may go over several lines, inside quotes."""
    parts: list[bytes] = []
    quoted = False
    for line in document.splitlines(keepends=True):
        parts.append(line)
        quoted ^= line.count(b'"') % 2 == 1
        if not quoted:
            row = b"".join(parts).strip(b"\r\n")
            parts = []
            if row.strip():
                yield row
    if parts:
        yield b"".join(parts)
