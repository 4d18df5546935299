"""Relook: records of a file read once more, those with certain numbers, as Events."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple, cast

from schemas.config import Limits
from schemas.errors import Mistake
from schemas.event import Event, Reject
from streams.documents import open_documents
from streams.reading import Reader
from streams.source import Raw, Source


class Looked(NamedTuple):
    """A record with its number in the file, and the Event that it says."""

    number: int
    data: bytes
    event: Event


def look(
    path: str, numbers: Collection[int], limits: Limits, source: Source | None
) -> Iterator[Looked]:
    """The records with these numbers, in the order of the file. Mistake if one is gone."""
    wanted, count = iter(sorted(numbers)), 0
    following = next(wanted, None)
    with open_documents(path, limits, source) as documents:
        for batch in documents:
            # As in reading: a file without a source has no documents, only a fault.
            reader = Reader(cast("Source", documents.source), documents.origin, limits)
            for document in batch.documents:
                if following is None:
                    return
                for raw in reader.records(document, count):
                    count += 1
                    if count != following:
                        continue
                    result = reader.outcome(raw, count).result if isinstance(raw, Raw) else raw
                    if isinstance(raw, Reject) or isinstance(result, Reject):
                        raise _changed(path, count)
                    yield Looked(count, raw.data, result.event)
                    following = next(wanted, None)
            count += batch.fault is not None
    if following is not None:
        raise _changed(path, following)


def _changed(path: str, number: int) -> Mistake:
    return Mistake(f"{path} changed while it was read, from record {number} on; run it again")
