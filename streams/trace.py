"""Trace: from the origin of a record back to its bytes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple, cast

from schemas.config import Limits
from schemas.errors import Mistake
from schemas.event import Reject
from streams.reading import Messages, Reader
from streams.records.documents import Fault, open_documents
from streams.source import Raw, Source

FILE: Final = "file:"
_MESSAGE: Final = re.compile(
    r"kafka:([A-Za-z0-9._-]{1,249})/([0-9]{1,10})/([0-9]{1,19})(?:#([0-9]{1,8}))?"
)


class Message(NamedTuple):
    """The place of a message in its topic."""

    topic: str
    partition: int
    offset: int


def place(origin: str) -> tuple[str | Message, int]:
    """Path or message of a record and its number there, from 1.

    Of `file:<path>#<n>` and `kafka:<topic>/<partition>/<offset>[#<n>]`; Mistake for others.
    """
    if (found := _MESSAGE.fullmatch(origin)) is not None:
        topic, partition, offset, number = found.groups("1")
        return Message(topic, int(partition), int(offset)), int(number)
    path, mark, number = origin.removeprefix(FILE).rpartition("#")
    if not origin.startswith(FILE) or not mark or not number.isdecimal():
        raise Mistake(
            f"{origin} is no record of a file or topic; only these can be read again here"
        )
    return path, int(number)


def hashes(
    path: str | Path, numbers: Collection[int], limits: Limits, source: Source | None = None
) -> Mapping[int, str]:
    """sha256 of the raw records with these numbers, as the file has them now.

    A number that is gone is absent.
    """
    return _hashes(_records(path, limits, source), numbers)


def message_hashes(
    document: bytes, numbers: Collection[int], limits: Limits, source: Source
) -> Mapping[int, str]:
    """As `hashes`, of the document that a message holds."""
    reader = Reader(source, "", limits, Messages([0]))
    return _hashes(reader.records(document, 0), numbers)


def _hashes(records: Iterable[Raw | Reject | Fault], numbers: Collection[int]) -> Mapping[int, str]:
    wanted, last = frozenset(numbers), max(numbers, default=0)
    found: dict[int, str] = {}
    for number, record in enumerate(records, 1):
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
