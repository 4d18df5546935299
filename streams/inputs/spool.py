"""Spool: what comes over a pipe or the network, on disk before it is acknowledged.

A segment `00000001.ndjson` holds documents as they came, one per line. Beside it, `00000001.marks`
says from which byte on which arrival time and source hold: lines of `<offset> <microseconds>
<source>`.
"""

from __future__ import annotations

import os
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from schemas.errors import Unavailable
from schemas.times import DAY, SECOND
from streams.input import Chunk
from streams.inputs.lines import complete_lines


class Bounds(NamedTuple):
    """Sizes in bytes. `unread` waiting: the spool is full.

    What was read stays for evidence, `kept` of it, `kept_for` long.
    """

    segment: int = 64 * 2**20
    unread: int = 2**30
    kept: int = 2**30
    kept_for: int = 7 * DAY


class Mark(NamedTuple):
    """From `offset` on, documents are of `source` and arrived in the second from `received` on."""

    offset: int
    received: int
    source: str


class Place(NamedTuple):
    """Where reading goes on: the segment, a byte in it, and the documents before that."""

    segment: int = 0
    offset: int = 0
    before: int = 0


class Segment:
    """One pair of files. `length` counts the bytes that outlive a power cut."""

    def __init__(self, folder: Path, number: int) -> None:
        self.path = folder / f"{number:08}.ndjson"
        self.side = self.path.with_suffix(".marks")
        self.number = number
        self.marks: list[Mark] = []
        self.length = self._side_length = 0
        if self.path.exists():
            self._mend()

    def append(self, documents: Sequence[bytes], received: int, source: str) -> None:
        """Write and sync."""
        mark = Mark(self.length, received - received % SECOND, source)
        if not self.marks or self.marks[-1][1:] != mark[1:]:
            # Before the documents: one without a mark could be taken for another source's.
            line = b"%d %d %s\n" % (mark.offset, mark.received, source.encode())
            self._side_length = _append(self.side, line, self._side_length)
            self.marks.append(mark)
        # A newline inside a JSON document is layout: inside its texts it is written as \n.
        lines = [d.replace(b"\n", b" ") + b"\n" for d in documents]
        self.length = _append(self.path, b"".join(lines), self.length)

    def mark_at(self, offset: int) -> tuple[Mark, int]:
        """The mark that holds at `offset`, and the byte before which it holds."""
        index = bisect_right(self.marks, offset, key=lambda mark: mark.offset)
        end = self.marks[index].offset if index < len(self.marks) else self.length
        return self.marks[index - 1], end

    def drop(self) -> None:
        """Delete both files; somebody else may have."""
        self.path.unlink(missing_ok=True)
        self.side.unlink(missing_ok=True)

    @property
    def written(self) -> float:
        """When it was last written to, in seconds since 1970; 0 where it is not there any more."""
        try:
            return self.path.stat().st_mtime
        except FileNotFoundError:
            return 0.0

    def _mend(self) -> None:
        """Cut off what a crash left unfinished; nobody was told that it had arrived."""
        self.length = _cut_to_last_line(self.path)
        try:
            self._side_length = _cut_to_last_line(self.side)
            for line in self.side.read_bytes().splitlines():
                offset, received, source = line.split(b" ")
                self.marks.append(Mark(int(offset), int(received), source.decode()))
        except (OSError, ValueError) as error:
            raise Unavailable(
                f"{self.side} is missing or damaged ({error}); move {self.path.name} away, and read"
                " it with `barograph replay --source NAME`"
            ) from error


class Spool:
    """An Input: one thread reads, others append.

    Guarantee: what `append` has returned for is read, whatever happens. `problem` says in a
    sentence what the disk refuses, None if all is well.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        position: Any = None,  # noqa: ANN401 - JSON
        bounds: Bounds = Bounds(),  # noqa: B008 - immutable
        clock: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self.name = name
        self._folder = folder
        self._bounds = bounds
        self._clock = clock
        self._mutex = Lock()
        self._finished = False
        self._unreadable: str | None = None
        self._undeletable: str | None = None
        self._place = Place(*position) if position else Place()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # it holds prompts
        numbers = sorted(int(path.stem) for path in folder.glob("*.ndjson"))
        self._segments = [Segment(folder, number) for number in numbers]

    @property
    def problem(self) -> str | None:
        """Why it is not read on, or grows."""
        return self._unreadable or self._undeletable

    @property
    def position(self) -> Place:
        """Behind the last chunk that was read."""
        return self._place

    @property
    def ended(self) -> bool:
        """True when the sender has finished and everything was read."""
        return self._finished and self.unread == 0

    @property
    def unread(self) -> int:
        """Bytes that wait to be read."""
        with self._mutex:
            waiting = sum(s.length for s in self._segments if s.number >= self._place.segment)
            here = any(s.number == self._place.segment for s in self._segments)
        return waiting - self._place.offset * here

    @property
    def full(self) -> bool:
        """True while whoever sends has to wait."""
        return self.unread >= self._bounds.unread

    def append(self, documents: Sequence[bytes], source: str) -> None:
        """Keep JSON documents of one source; on disk when it returns. OSError if the disk refuses.

        Then none is kept.
        """
        documents = [document for document in documents if document.strip()]
        if not documents:
            return
        with self._mutex:
            if not self._segments or self._segments[-1].length >= self._bounds.segment:
                number = (
                    max(self._place.segment, self._segments[-1].number if self._segments else 0) + 1
                )
                self._segments.append(Segment(self._folder, number))
            self._segments[-1].append(documents, self._clock(), source)

    def finish(self) -> None:
        """Nothing will be appended any more."""
        self._finished = True

    def read(self, limit_records: int, limit_bytes: int) -> Chunk | None:
        """The next documents that have one source and arrived in one second."""
        with self._mutex:
            found = self._next()
        if found is None:
            return None
        segment, place, mark, end = found
        try:
            with segment.path.open("rb") as file:
                documents, offset = complete_lines(
                    file.fileno(), place.offset, end, limit_records, limit_bytes, longest=end
                )
        except OSError as error:
            self._unreadable = f"cannot read {segment.path}: {error.strerror}; it is tried again"
            return None
        self._unreadable = None
        self._place = Place(segment.number, offset, place.before + len(documents))
        return Chunk(
            mark.source,
            f"file:{segment.path}",
            documents,
            mark.received,
            self._place,
            first=place.offset == 0,
            before=place.before,
        )

    def trim(self, position: Any) -> None:  # noqa: ANN401 - JSON
        """Drop segments before `position` that are too old or too many to keep."""
        with self._mutex:
            read = [
                segment for segment in self._segments if segment.number < Place(*position).segment
            ]
            kept = sum(segment.length for segment in read)
            self._undeletable = None
            for segment in read:
                age = self._clock() - int(segment.written * SECOND)
                if kept <= self._bounds.kept and age <= self._bounds.kept_for:
                    break
                try:
                    segment.drop()
                except OSError as error:
                    self._undeletable = f"cannot delete {segment.path}: {error.strerror}"
                    break
                self._segments.remove(segment)
                kept -= segment.length

    def _next(self) -> tuple[Segment, Place, Mark, int] | None:
        for segment in self._segments:
            place = self._place if segment.number == self._place.segment else Place(segment.number)
            if segment.number >= self._place.segment and place.offset < segment.length:
                return segment, place, *segment.mark_at(place.offset)
        return None


def _append(path: Path, data: bytes, length: int) -> int:
    """Write behind the first `length` bytes, which are what counts, and sync; the new length.

    A write that failed may have left more, and may not have been able to cut it off.
    """
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        if os.fstat(file).st_size > length:
            os.ftruncate(file, length)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(file, rest) :]
            os.fsync(file)
        except OSError:
            os.ftruncate(file, length)
            raise
    finally:
        os.close(file)
    if not length:  # a new file is lost with its folder's entry
        _sync_folder(path.parent)
    return length + len(data)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _cut_to_last_line(path: Path, block: int = 2**16) -> int:
    """Cut the file behind its last newline; returns its length."""
    with path.open("rb+") as file:
        end = file.seek(0, os.SEEK_END)
        while end:
            start = max(0, end - block)
            newline = os.pread(file.fileno(), end - start, start).rfind(b"\n")
            if newline >= 0:
                end = start + newline + 1
                break
            end = start
        file.truncate(end)
    return end
