"""Relook: records of a file read once more, those with certain numbers, for what they show."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from hashlib import sha256
from typing import NamedTuple, cast

from correlators.claims import Cited, cited
from schemas.config import Limits
from schemas.errors import Mistake
from schemas.event import Event
from streams.reading import Reader
from streams.records.documents import open_documents
from streams.records.untrusted import decode
from streams.source import Parsed, Raw, Source


class File(NamedTuple):
    """A file that was read before.

    `source` names its format, if it was named; `plain`: each document is one record, so that those
    between need not be looked at.
    """

    path: str
    limits: Limits
    source: Source | None
    plain: bool


def events(file: File, numbers: Collection[int]) -> Iterator[tuple[int, Event]]:
    """The Events of the records with these numbers, in their order. Mistake if one is gone.

    One that can only now be seen to be unreadable is left out.
    """
    for reader, raw, number in _records(file, numbers):
        event = _event(reader, raw, number)
        if event is not None:
            yield number, event


def citations(file: File, numbers: Collection[int]) -> Iterator[tuple[int, Cited]]:
    """As `events`, no more of each than findings show: a source may know that without the rest."""
    for reader, raw, number in _records(file, numbers):
        found = _cited(reader, raw, number)
        if found is not None:
            yield number, found


def _records(file: File, numbers: Collection[int]) -> Iterator[tuple[Reader, Raw, int]]:
    wanted = sorted(numbers, reverse=True)
    count = 0
    with open_documents(file.path, file.limits, file.source) as documents:
        for batch in documents:
            if not wanted:
                return
            # As in reading: a file without a source has no documents, only a fault.
            reader = Reader(cast("Source", documents.source), documents.origin, file.limits)
            if file.plain:
                last = count + len(batch.documents)
                while wanted and wanted[-1] <= last:
                    number = wanted.pop()
                    yield reader, Raw(batch.documents[number - count - 1]), number
                count = last
            else:
                for document in batch.documents:
                    for raw in reader.records(document, count):
                        count += 1
                        if wanted and count == wanted[-1]:
                            wanted.pop()
                            if isinstance(raw, Raw):
                                yield reader, raw, count
            count += batch.fault is not None
    if wanted:
        raise _changed(file.path, wanted[-1])


def _event(reader: Reader, raw: Raw, number: int) -> Event | None:
    result = reader.outcome(raw, number).result
    return result.event if isinstance(result, Parsed) else None


def _cited(reader: Reader, raw: Raw, number: int) -> Cited | None:
    narrow = reader.source.NARROW
    if narrow is None or narrow.entities is None:
        event = _event(reader, raw, number)
        return None if event is None else cited(event)
    try:
        record = decode(raw.data, reader.limits)
        entities = narrow.entities(record)
    except Exception:  # noqa: BLE001 - as in Reader.normalised: unreadable, or a defect of the source
        return None
    sha = sha256(raw.data).hexdigest()
    return Cited(narrow.uid(record, sha), sha, [entity.key for entity in entities])


def _changed(path: str, number: int) -> Mistake:
    return Mistake(f"{path} changed while it was read, from record {number} on; run it again")
