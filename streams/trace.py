"""Trace: from the origin of a record back to its bytes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from hashlib import sha256

from schemas.config import Limits
from schemas.errors import Mistake
from streams.documents import open_documents
from streams.reading import Reader
from streams.source import Raw, Source

FILE = "file:"


def place(origin: str) -> tuple[str, int]:
    """Path and record number of `file:<path>#<n>`. Mistake for an origin that is no file."""
    path, mark, number = origin.removeprefix(FILE).rpartition("#")
    if not origin.startswith(FILE) or not mark or not number.isdigit():
        raise Mistake(f"{origin} is no record of a file; only files can be read again here")
    return path, int(number)


def hashes(
    path: str, numbers: Collection[int], limits: Limits, source: Source | None = None
) -> Mapping[int, str]:
    """sha256 of the raw records with these numbers, as the file has them now; a number that is gone is absent."""
    wanted, last = frozenset(numbers), max(numbers)
    found: dict[int, str] = {}
    for number, sha in enumerate(_records(path, limits, source), 1):
        if number in wanted:
            found[number] = sha
        if number >= last:
            break
    return found


def _records(path: str, limits: Limits, source: Source | None) -> Iterator[str]:
    """The sha256 of each record in order, numbered as ingest numbers them: what is no record counts one."""
    with open_documents(path, limits, source) as documents:
        number = 0
        for batch in documents:
            for document in batch.documents if documents.source else ():
                for record in Reader(documents.source, documents.origin, limits).records(
                    document, number
                ):
                    number += 1
                    yield (
                        sha256(record.data).hexdigest()
                        if isinstance(record, Raw)
                        else record.sha256
                    )
            if batch.fault is not None:
                number += 1
                yield batch.fault.sha256
