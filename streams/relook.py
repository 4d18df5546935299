"""Relook: records of a file read once more, those with certain numbers, as Events."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple, cast

from schemas.config import Limits
from schemas.errors import Mistake
from schemas.event import Event, Reject
from streams.reading import Reader
from streams.records.documents import open_documents
from streams.source import Parsed, Raw, Source


class Looked(NamedTuple):
    """A record with its number in the file, and the Event that it says."""

    number: int
    data: bytes
    event: Event


def look(
    path: str, numbers: Collection[int], limits: Limits, source: Source | None, *, plain: bool
) -> Iterator[Looked]:
    """The records with these numbers, in the order of the file. Mistake if one is gone.

    `plain`: each document is one record, so that the others need not be looked at. One that can
    only now be seen to be unreadable is left out.
    """
    wanted = sorted(numbers, reverse=True)
    count = 0
    with open_documents(path, limits, source) as documents:
        for batch in documents:
            if not wanted:
                return
            # As in reading: a file without a source has no documents, only a fault.
            reader = Reader(cast("Source", documents.source), documents.origin, limits)
            if plain:
                last = count + len(batch.documents)
                while wanted and wanted[-1] <= last:
                    number = wanted.pop()
                    yield from _looked(reader, Raw(batch.documents[number - count - 1]), number)
                count = last
            else:
                for document in batch.documents:
                    for raw in reader.records(document, count):
                        count += 1
                        if wanted and count == wanted[-1]:
                            yield from _looked(reader, raw, wanted.pop())
            count += batch.fault is not None
    if wanted:
        raise _changed(path, wanted[-1])


def _looked(reader: Reader, raw: Raw | Reject, number: int) -> Iterator[Looked]:
    result = reader.outcome(raw, number).result if isinstance(raw, Raw) else raw
    if isinstance(raw, Raw) and isinstance(result, Parsed):
        yield Looked(number, raw.data, result.event)


def _changed(path: str, number: int) -> Mistake:
    return Mistake(f"{path} changed while it was read, from record {number} on; run it again")
