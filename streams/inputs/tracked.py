"""Tracked: one file that is followed, from a place on, until there is nothing more to take from it.

A file of lines gives its complete lines as they come; any other is taken when it is whole.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal

from schemas.config import Limits
from streams.inputs.lines import Lines, complete_lines
from streams.inputs.place import KNOWN, Place, Taken, is_json
from streams.inputs.whole import Whole
from streams.records.documents import open_documents
from streams.records.pieces import is_packed
from streams.source import HEAD, Source

_BOM: Final = b"\xef\xbb\xbf"

Shape = Literal["empty", "lines", "whole", "open"]


class Tracked:
    """One file by its descriptor: a rename or a deletion does not take its rest away.

    `place` is behind what was given. `waits`: there is something that is not finished yet.
    `settled`: it was there before anybody looked, so it need not be seen twice to be tried.
    """

    def __init__(
        self,
        path: Path,
        place: Place,
        limits: Limits,
        named: Source | None,
        *,
        settled: bool = False,
    ) -> None:
        self.path: Path = path
        self.place = place
        self.waits = False
        self._limits = limits
        self._named = named
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        seen = self.version if settled else ""
        self._whole = Whole(path, limits, named, seen)
        self._source: Source | None = None  # of a file that is sure to hold lines
        self._known: tuple[str, Shape] = ("", "empty")  # what a version turned out to be
        self._seen = seen  # the version at the last look

    @property
    def lines(self) -> bool:
        """True once it is sure to hold lines, which are read as they come."""
        return self._source is not None

    @property
    def size(self) -> int:
        """Its size in bytes, as it lies there."""
        return os.fstat(self._file).st_size

    @property
    def version(self) -> str:
        """Changes whenever somebody writes to the file."""
        stat = os.fstat(self._file)
        return f"{stat.st_size}:{stat.st_mtime_ns}"

    def renamed(self, path: Path) -> None:
        """The file is called `path` now."""
        if path != self.path:
            self.path = path
            self._whole.close()
            self._whole = Whole(path, self._limits, self._named)

    def close(self) -> None:
        """Give the descriptor back."""
        self._whole.close()
        os.close(self._file)

    def read(
        self, limit_records: int, limit_bytes: int, *, final: bool, ended: bool
    ) -> Taken | None:
        """The next documents, None if there are none now.

        `final`: it has not been written to for long enough; `ended`: nobody will append to it.
        """
        final = final or ended
        shape = self._shaped(final=final)
        self.waits = shape == "open"
        given = None
        if shape == "whole":
            given = self._whole.read(self.place, self.version, limit_records, final=final)
            self.waits = self._whole.waits
        elif shape == "lines":
            given = self._of_lines(limit_records, limit_bytes, final=final, ended=ended)
        if given is not None:
            self.place = given.place
        self._seen = self.version
        return given

    def _shaped(self, *, final: bool) -> Shape:
        if self._source is not None:
            return "lines"
        if (
            final or self.version != self._known[0]
        ):  # a start is not read again until it has changed
            self._known = (self.version, self._shape(final=final))
        return self._known[1]

    def _shape(self, *, final: bool) -> Shape:
        """What the file is; `open` while its start could become either."""
        size = self.size
        head = os.pread(self._file, HEAD, 0)
        if not head:
            return "empty"
        if is_packed(head):
            return "whole"
        with open_documents(self.path, self._limits, self._named) as documents:
            source, lines = documents.source, documents.lines
        if source is None or not lines:
            return "whole"
        begin = len(_BOM) if head.startswith(_BOM) else 0
        line = complete_lines(self._file, begin, size, 1, HEAD, self._limits.document_bytes)
        if line.documents:
            sure = size > line.offset or is_json(line.documents[0])
        else:
            sure = is_json(head[begin:])
        if not (sure or final):
            return "open"
        self._source = source
        return "lines"

    def _of_lines(
        self, limit_records: int, limit_bytes: int, *, final: bool, ended: bool
    ) -> Taken | None:
        place, source = self.place, self._source
        while source is not None:
            size = self.size
            place = self.place = self._continued(place, size)  # a cut is not forgotten
            if place.at >= size:
                return None
            longest = self._limits.document_bytes
            found = complete_lines(self._file, place.at, size, limit_records, limit_bytes, longest)
            if found.offset == place.at:
                found = self._rest(place.at, size, final=ended or (final and place.before == 0))
            if found.offset == place.at:
                self.waits = True
                return None
            before = place.before + len(found.documents)
            inside = any(len(document) > longest for document in found.documents)
            behind = Place(found.offset, 0, before, self._known_by(found.offset), inside)
            if found.documents:
                return Taken(source.NAME, found.documents, place.before, behind)
            place = self.place = behind
        return None

    def _continued(self, place: Place, size: int) -> Place:
        """The place, or the start of a file that was cut, written anew or has another's inode."""
        begin = Place(len(_BOM) if os.pread(self._file, 3, 0) == _BOM else 0)
        if place.at <= begin.at or place.version or place.at > size:
            return begin
        last, following = os.pread(self._file, 1, place.at - 1), os.pread(self._file, 1, place.at)
        appended = place.inside or last == b"\n" or following in (b"", b"\n", b"\r")
        known = self._known_by(place.at)[: len(place.start)]  # who was read before has but the one
        return place if appended and place.start and place.start == known else begin

    def _known_by(self, at: int) -> str:
        """Hashes of what begins the file, many of which begin alike, and of what lies before."""
        size = min(at, KNOWN)
        ends = os.pread(self._file, size, 0), os.pread(self._file, size, at - size)
        return "".join(sha256(end).hexdigest()[:16] for end in ends)

    def _rest(self, at: int, size: int, *, final: bool) -> Lines:
        """What follows the last newline, if it is a JSON value: nothing can be added to that."""
        data = os.pread(self._file, min(size - at, self._limits.document_bytes + 1), at).strip()
        if not data:
            return Lines([], size)
        settled = (
            self._seen == self.version
        )  # a long line is not parsed again and again while it grows
        if final or (settled and data.endswith((b"}", b"]")) and is_json(data)):
            return Lines([data], size)
        return Lines([], at)
