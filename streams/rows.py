"""Rows: the records of a CSV text, each with its exact bytes."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

from streams.source import Json, Raw, Unreadable


def rows(document: bytes, names: Sequence[str] = (), context: Json = None) -> Iterator[Raw]:
    """The rows below the head, as records of texts by name; blank rows are left out.

    Without `names` the first row is the head. A row may span lines inside quotes. Names that a row
    has no cell for are absent; cells without a name are left out. Raises Unreadable for all of it,
    before the first row.
    """
    try:
        document.decode()
    except UnicodeDecodeError as error:
        raise Unreadable("encoding", str(error)) from None
    found = _rows(document.removeprefix(b"\xef\xbb\xbf"))
    head = tuple(name.strip() for name in names or _cells(next(found, b"")))
    if not any(head):
        raise Unreadable("empty", "the table has no head")
    return (Raw(row, context, dict(zip(head, _cells(row), strict=False))) for row in found)


def _rows(document: bytes) -> Iterator[bytes]:
    """Lines, joined while a quote is open."""
    held: list[bytes] = []
    quoted = False
    for line in document.splitlines(keepends=True):
        held.append(line)
        quoted ^= line.count(b'"') % 2 == 1
        if not quoted:
            row = b"".join(held).strip(b"\r\n")
            held.clear()
            if row.strip():
                yield row
    if row := b"".join(held).strip():
        yield row


def _cells(row: bytes) -> list[str]:
    try:
        return next(csv.reader([row.decode()]), [])
    except csv.Error:  # a cell without bound: the row has none then, and its source says so
        return []
