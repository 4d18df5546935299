"""Finite inputs: files that are read once to their end, each an input of its own, in the given or a shuffled order."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import orjson

from schemas.config import Limits
from schemas.event import EventEvidence
from schemas.times import BEGINNING, parse
from streams.documents import Batch, Fault, open_documents
from streams.input import Chunk
from streams.reading import UNKNOWN
from streams.shuffle import shuffled
from streams.source import Source, Unreadable

RECORDS = 20_000  # documents handed on at once, at most: more cost memory, fewer cost time


class FiniteFile:
    """One file from start to end. `source` is its named or sniffed format, None if no source knows it."""

    def __init__(self, path: str, limits: Limits, source: Source | None) -> None:
        """Opens the file only to sniff it; a folder of thousands of files holds few of them open."""
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
        first = True
        with open_documents(self._path, self._limits, self.source) as documents:
            for batch in documents:
                for documents_, fault in _portions(batch, self._records):
                    yield self.chunk(documents_, fault, first)
                    first = False

    def chunk(self, documents: list[bytes], fault: Fault | None, first: bool) -> Chunk:
        """A chunk of this file."""
        name = self.source.NAME if self.source else UNKNOWN
        return Chunk(name, self.name, documents, None, None, first=first, fault=fault)


class ShuffledFile(FiniteFile):
    """The same file in another order of arrival: records come up to `span` microseconds of event time later."""

    def __init__(
        self, path: str, limits: Limits, source: Source | None, span: int, random: Random
    ) -> None:
        """`span` must not pass the lateness of the source: none may become late."""
        super().__init__(path, limits, source)
        self._span, self._random = span, random

    def _read(self) -> Iterator[Chunk]:
        chunks = list(super()._read())
        if self.source is None:
            yield from chunks
            return
        source = self.source
        documents = [
            piece
            for chunk in chunks
            for document in chunk.documents
            for piece in _single(source, document)
        ]
        times = list(_times(source, documents))
        order = shuffled(times, source.LATENESS, self._span, self._random)
        moved = [documents[i] for i in order]
        first = True
        for start in range(0, len(moved), self._records):
            yield self.chunk(moved[start : start + self._records], None, first)
            first = False
        for chunk in chunks:
            if chunk.fault is not None:
                yield chunk._replace(documents=[], first=first)
                first = False


def _portions(batch: Batch, size: int) -> Iterator[tuple[list[bytes], Fault | None]]:
    documents = batch.documents
    for start in range(0, len(documents), size):
        yield documents[start : start + size], None
    if batch.fault is not None:
        yield [], batch.fault


def _single(source: Source, document: bytes) -> Iterator[bytes]:
    """The records of a document as documents of their own, where the format lets a record stand alone."""
    if source.NARROW is None:
        yield document
        return
    try:
        yield from (raw.data for raw in source.split(document))
    except Unreadable:
        yield document


def _times(source: Source, documents: list[bytes]) -> Iterator[int]:
    """The earliest event time of each document; a document without one stays where it is."""
    known = BEGINNING
    for document in documents:
        times = []
        try:
            for raw in source.split(document):
                record: Any = orjson.loads(raw.data)
                if source.NARROW is not None and isinstance(record, dict):
                    times.append(parse(str(record.get(source.NARROW.time))))
                else:
                    times.append(
                        source.event(raw, record, EventEvidence(origin="", sha256="")).event.time
                    )
        except (Unreadable, ValueError):
            times = []
        known = min(times, default=known)
        yield known
