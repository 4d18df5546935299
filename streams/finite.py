"""Finite inputs: files read once to their end, each an input of its own, as given or shuffled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from random import Random
from typing import NamedTuple

import orjson

from correlators.sigma.values import lookup
from schemas.config import Limits
from schemas.times import BEGINNING
from streams.input import Chunk
from streams.reading import UNKNOWN, Reader
from streams.records.documents import Batch, Fault, open_documents
from streams.records.lines import Lines, untrimmed
from streams.records.untrusted import mapping, moment
from streams.shuffle import Span, shuffled
from streams.source import Narrow, Parsed, Raw, Source, Unreadable

RECORDS = 20_000  # documents handed on at once, at most: more cost memory, fewer cost time


class FiniteFile:
    """One file from start to end. `source` is its named or sniffed format, None if none knows it.

    Making one only sniffs; the file is open while there is more of it than the chunk at hand.
    """

    def __init__(self, path: str, limits: Limits, source: Source | None) -> None:
        self._path, self._limits = path, limits
        self._records = min(RECORDS, limits.batch_records)
        with open_documents(path, limits, source) as documents:
            self.source, self.name = documents.source, documents.origin
        self._chunks: Iterator[Chunk] | None = None

    def read(self) -> Chunk | None:
        """The next chunk, None at the end. The source `unknown` carries only a fault."""
        if self._chunks is None:
            self._chunks = self._read()
        return next(self._chunks, None)

    def _read(self) -> Iterator[Chunk]:
        first, ahead = True, None
        with open_documents(self._path, self._limits, self.source) as documents:
            for part in _portions(documents, self._records, self._limits.batch_bytes):
                if ahead is not None:
                    yield self._chunk(ahead, first=first)
                    first = False
                ahead = part
        # Closed before the last chunk is handed on: of many small files none stays open.
        if ahead is not None:
            yield self._chunk(ahead, first=first)

    def _chunk(self, part: _Part, *, first: bool) -> Chunk:
        name = self.source.NAME if self.source else UNKNOWN
        return Chunk(
            name,
            self.name,
            part.documents,
            None,
            None,
            first=first,
            fault=part.fault,
            numbers=part.numbers,
        )


class Shuffling(NamedTuple):
    """Another order of arrival: records come up to `span` microseconds of event time later.

    `not_after`: later times are rejected by ingest, and say nothing about how late others are.
    """

    span: int
    random: Random
    not_after: int | None = None


class ShuffledFile(FiniteFile):
    """The same file in another order; all of it is held in memory."""

    def __init__(
        self, path: str, limits: Limits, source: Source | None, shuffling: Shuffling
    ) -> None:
        """`shuffling.span` must not pass the lateness of the source: none may become late."""
        super().__init__(path, limits, source)
        self._shuffling = shuffling

    def _read(self) -> Iterator[Chunk]:
        if self.source is None:
            yield from super()._read()
            return
        first = True
        for part in self._shuffled(self.source):
            yield self._chunk(part, first=first)
            first = False

    def _shuffled(self, source: Source) -> Iterator[_Part]:
        pieces = _Pieces(Reader(source, self.name, self._limits), self._shuffling.not_after)
        with open_documents(self._path, self._limits, source) as documents:
            for batch in documents:
                pieces.add(batch)
        span, random = self._shuffling.span, self._shuffling.random
        order = shuffled(pieces.spans, source.LATENESS, span, random)
        for start in range(0, len(order), self._records):
            moved = order[start : start + self._records]
            numbers = [pieces.numbers[index] for index in moved]
            yield _Part([pieces.documents[index] for index in moved], None, numbers)
        for number, fault in pieces.faults:
            yield _Part([], fault, [number])


class _Part(NamedTuple):
    """Documents that are handed on together, or a fault; as in Chunk."""

    documents: Sequence[bytes]
    fault: Fault | None = None
    numbers: Sequence[int] | None = None


class _Pieces:
    """The documents of a file, as small as they can stand alone, with their numbers and times."""

    def __init__(self, reader: Reader, not_after: int | None) -> None:
        self._reader, self._not_after = reader, not_after
        self._count = 0
        self.documents: list[bytes] = []
        self.numbers: list[int] = []
        self.spans: list[Span] = []
        self.faults: list[tuple[int, Fault]] = []

    def add(self, batch: Batch) -> None:
        """Take a batch of the file in its order."""
        for document in batch.documents:
            records = list(self._reader.records(document, self._count))
            raws = [record for record in records if isinstance(record, Raw)]
            context = any(raw.context is not None for raw in raws)
            if self._reader.source.NARROW is None or context or len(raws) < len(records):
                self._piece(document, raws, len(records))
                continue
            for raw in raws:
                self._piece(raw.data, [raw])
        if batch.fault is not None:
            self.faults.append((self._count, batch.fault))
            self._count += 1

    def _piece(self, document: bytes, raws: Sequence[Raw], count: int = 1) -> None:
        before = self.spans[-1].latest if self.spans else BEGINNING
        times = [time for raw in raws if (time := self._time(raw)) is not None]
        # What has no time stays where it is.
        self.spans.append(Span(min(times, default=before), max(times, default=before)))
        self.documents.append(document)
        self.numbers.append(self._count)
        self._count += count

    def _time(self, raw: Raw) -> int | None:
        """As ingest finds it."""
        narrow = self._reader.source.NARROW
        time = None if narrow is None else _stated(raw.data, narrow)
        if time is None:
            result = self._reader.outcome(raw, self._count).result
            time = result.event.time if isinstance(result, Parsed) else None
        if time is None or self._not_after is None or time <= self._not_after:
            return time
        return None


def _stated(data: bytes, narrow: Narrow) -> int | None:
    try:
        return (narrow.clock or moment)(lookup(mapping(orjson.loads(data)), narrow.time))
    except (Unreadable, orjson.JSONDecodeError):
        return None


def _portions(batches: Iterable[Batch], records: int, size: int) -> Iterator[_Part]:
    """`records` documents at a time, fewer once they come from `size` bytes; a fault is its own."""
    held: list[bytes] = []
    start, lines = 0, False
    for batch in batches:
        if batch.documents:
            lines = isinstance(batch.documents, Lines)
        held += untrimmed(batch.documents)
        while len(held) >= records:
            yield _part(held[:records], lines=lines)
            held = held[records:]
        if held and (batch.fault is not None or batch.end - start >= size):
            yield _part(held, lines=lines)
            held, start = [], batch.end
        if batch.fault is not None:
            yield _Part([], batch.fault)
    if held:
        yield _part(held, lines=lines)


def _part(documents: list[bytes], *, lines: bool) -> _Part:
    """Lines are still to be trimmed."""
    return _Part(Lines(documents) if lines else documents)
