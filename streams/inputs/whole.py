"""Whole: a file that is taken when it is complete: JSON over many lines, or compressed."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Final

from schemas.config import Limits
from streams.inputs.place import KNOWN, Place, Taken, is_json
from streams.reading import UNKNOWN
from streams.records.documents import Batch, Documents, open_documents
from streams.source import Source

_END: Final = Batch([], -1)


class Whole:
    """Gives the documents of one version of a file; `waits` while that is still written."""

    def __init__(self, path: Path, limits: Limits, named: Source | None, seen: str = "") -> None:
        self.waits = False
        self._path = path
        self._limits = limits
        self._named = named
        self._seen = seen  # the version at the last call
        self._tried = ""  # a version that was not complete
        self._version = ""  # the version that is being given
        self._head = b""  # of that
        self._open: Documents | None = None
        self._batches: Iterator[Batch] = iter(())
        self._batch = _END

    def read(self, place: Place, version: str, limit_records: int, *, final: bool) -> Taken | None:
        """The next documents behind `place`; `final`: take what is there, complete or not."""
        self.waits = False
        if self._open is None and not self._begin(place, version, final=final):
            return None
        if self._open is None or self._batch is _END:
            self.close()
            return None
        if not self._goes_on(place):
            place = Place()
        batch, source = self._batch, self._open.source
        if not final and _incomplete(batch, lines=self._open.lines):
            self._tried, self.waits = version, True
            self.close()
            return None
        documents = batch.documents[place.skip : place.skip + limit_records]
        before = place.before + len(documents)
        if place.skip + len(documents) < len(batch.documents):
            skip = place.skip + len(documents)
            behind, fault = Place(place.at, skip, before, _known_by(self._head)), None
        else:
            self._batch = self._next()
            done = self._version if self._batch is _END else ""
            behind = Place(batch.end, 0, before, _known_by(self._head), version=done)
            fault = batch.fault
        name = source.NAME if source else UNKNOWN
        return Taken(name, documents, place.before, behind, fault)

    def close(self) -> None:
        """Give the file back."""
        if self._open is not None:
            self._open.__exit__(None, None, None)
            self._open = None

    def _begin(self, place: Place, version: str, *, final: bool) -> bool:
        stable, self._seen = version == self._seen, version
        if version == place.version:
            return False
        if not final and (not stable or version == self._tried):
            self.waits = True
            return False
        self._head = _head(self._path)
        at = place.at if self._goes_on(place) else 0
        self._version = version
        self._open = open_documents(self._path, self._limits, self._named, at=at)
        self._batches = chain(self._open, (_END,))
        self._batch = self._next()
        return True

    def _goes_on(self, place: Place) -> bool:
        """Whether the place is one in this file, however it has grown, and not in another."""
        size = place.start.partition(":")[0]
        known = size.isdecimal() and place.start == _known_by(self._head[: int(size)])
        return not place.version and (known or not place.start)

    def _next(self) -> Batch:
        """The next batch that is not empty."""
        return next(b for b in self._batches if b.documents or b.fault or b is _END)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(KNOWN)


def _known_by(head: bytes) -> str:
    """Of how many bytes, and their hash: a short file may have grown since."""
    return f"{len(head)}:{sha256(head).hexdigest()[:16]}"


def _incomplete(batch: Batch, *, lines: bool) -> bool:
    if batch.fault is not None:
        return batch.fault.reason != "too-large"
    return not lines and not is_json(batch.documents[0])
