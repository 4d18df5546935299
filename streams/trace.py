"""Trace: from the origin of a record back to its bytes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import cast

from schemas.config import Limits
from schemas.errors import Mistake
from schemas.event import Reject
from streams.documents import Fault, open_documents
from streams.reading import Reader
from streams.source import Raw, Source

FILE = "file:"


def place(origin: str) -> tuple[str, int]:
    """Path and record number of `file:<path>#<n>`. Mistake for an origin that is no file."""
    path, mark, number = origin.removeprefix(FILE).rpartition("#")
    if not origin.startswith(FILE) or not mark or not number.isdecimal():
        raise Mistake(f"{origin} is no record of a file; only files can be read again here")
    return path, int(number)


def hashes(
    path: str | Path, numbers: Collection[int], limits: Limits, source: Source | None = None
) -> Mapping[int, str]:
    """sha256 of the raw records with these numbers, as the file has them now.

    A number that is gone is absent.
    """
    wanted, last = frozenset(numbers), max(numbers, default=0)
    found: dict[int, str] = {}
    for number, record in enumerate(_records(path, limits, source), 1):
        if number > last:
            break
        if number in wanted:
            found[number] = (
                sha256(record.data).hexdigest() if isinstance(record, Raw) else record.sha256
            )
    return found


def _records(
    path: str | Path, limits: Limits, source: Source | None
) -> Iterator[Raw | Reject | Fault]:
    """The records of a file as ingest numbers them: what is no record counts one."""
    with open_documents(path, limits, source) as documents:
        count = 0
        for batch in documents:
            # A file without a source has no documents, only a fault.
            reader = Reader(cast("Source", documents.source), documents.origin, limits)
            for document in batch.documents:
                for record in reader.records(document, count):
                    count += 1
                    yield record
            if batch.fault is not None:
                count += 1
                yield batch.fault
