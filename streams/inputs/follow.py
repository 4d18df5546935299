"""Follow: a file or a folder that somebody else writes to.

Guarantee: each document once, by inode and place in the file, across restarts and rotation by
renaming; the files of a folder in the order of their names. A file that is rewritten is read again
from its start. A folder that shows nothing, as before its volume is mounted, says nothing of what
was read of it.
"""

from __future__ import annotations

import glob
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from stat import S_ISREG
from typing import Any, Final, NamedTuple

import msgspec

from schemas.config import Limits
from schemas.errors import Mistake
from streams.input import Chunk
from streams.inputs.place import Place, Taken
from streams.inputs.tracked import Tracked
from streams.records.documents import SUFFIXES, origin
from streams.source import Source

QUIET: Final = 30.0  # seconds without a change after which an unfinished file is taken as it is
HELD: Final = 64  # files kept open, so that what was appended before a deletion is still read
_SCAN: Final = 0.05  # seconds between two looks into a folder, at least
_SHARE: Final = 10  # and this many times what the last look took
_KEPT: Final = 600.0  # seconds after which a file that has gone is forgotten


class Entry(NamedTuple):
    """A file as the folder shows it now; `ended`: its name is not the followed one any more.

    Whoever writes to such a file may not have heard of it yet.
    """

    key: str
    path: Path
    version: str
    size: int
    changed: int
    ended: bool = False


class Follow:
    """An Input over one path.

    `problem` says in a sentence why nothing can be read, None if all is well.
    """

    ended = False

    def __init__(
        self,
        name: str,
        path: Path,
        position: Any = None,  # noqa: ANN401 - JSON
        *,
        limits: Limits = Limits(),  # noqa: B008 - immutable
        source: Source | None = None,
        quiet: float = QUIET,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.problem: str | None = None
        self._path = path
        self._limits = limits
        self._named = source
        self._quiet = quiet
        self._clock = clock
        self._places = msgspec.convert(position or {}, dict[str, Place])
        self._held: dict[str, Tracked] = {}
        self._changed: dict[str, tuple[str, float]] = {}  # version, and since when
        self._done: dict[str, str] = {}  # the version that has nothing more to give
        self._gone: dict[str, float] = {}  # since when it is not there
        self._queue: deque[Entry] = deque()
        self._due = 0.0
        self._looks = 0  # what is there at the first is read in its order

    @property
    def position(self) -> dict[str, Place]:
        """The place in each file that is there, by inode."""
        return dict(self._places)

    @property
    def waits(self) -> bool:
        """True while a file is not whole, and may still become so."""
        now = self._clock()
        return any(
            one.waits and now - self._changed[key][1] < self._quiet
            for key, one in self._held.items()
        )

    def read(self, limit_records: int, limit_bytes: int) -> Chunk | None:
        """The next documents of the first file, in the order of names, that has any."""
        if not self._queue and self._clock() >= self._due:
            self._look()
        while self._queue:
            entry = self._queue[0]
            given = self._given(entry, limit_records, limit_bytes)
            if given is not None:
                self._places[entry.key] = given.place
                if self._held[entry.key].lines and given.place.at >= entry.size:
                    self._queue.popleft()  # what is written meanwhile waits until others were read
                return Chunk(
                    given.source,
                    origin(entry.path),
                    given.documents,
                    None,
                    self.position,
                    first=given.before == 0,
                    before=given.before,
                    fault=given.fault,
                )
            self._queue.popleft()
        return None

    def trim(self, position: Any) -> None:  # noqa: ANN401 - JSON
        """Nothing: the files are somebody else's."""

    def close(self) -> None:
        """Give all files back."""
        for key in list(self._held):
            self._held.pop(key).close()

    def _given(self, entry: Entry, limit_records: int, limit_bytes: int) -> Taken | None:
        try:
            tracked = self._tracked(entry)
            final = self._clock() - self._changed[entry.key][1] >= self._quiet
            ended = entry.ended and final
            given = tracked.read(limit_records, limit_bytes, final=final, ended=ended)
        except FileNotFoundError:  # it went away since the look
            return None
        except (OSError, Mistake) as error:
            self.problem = (
                str(error)
                if isinstance(error, Mistake)
                else f"cannot read {entry.path}: {error.strerror}"
            )
            return None
        if given is None and not tracked.waits:
            self._done[entry.key] = entry.version
        return given

    def _tracked(self, entry: Entry) -> Tracked:
        held = self._held.pop(entry.key, None)
        if held is None:
            place = self._places.get(entry.key, Place())
            held = Tracked(entry.path, place, self._limits, self._named, settled=self._looks == 1)
        held.renamed(entry.path)
        self._held[entry.key] = held  # the newest last
        while len(self._held) > HELD:
            self._held.pop(next(iter(self._held))).close()
        return held

    def _look(self) -> None:
        """Queue what may have something to give, and forget what is gone."""
        started = self._clock()
        self._looks += 1
        self.problem = None
        try:
            entries = list(self._entries())
        except OSError as error:  # a folder went away meanwhile, or the volume under it
            self.problem = f"cannot look into {self._path}: {error.strerror}; it is tried again"
            entries = []
        else:
            entries[:0] = self._missed({entry.key for entry in entries}, started)
        for entry in entries:
            if self._changed.get(entry.key, ("",))[0] != entry.version:
                self._changed[entry.key] = (entry.version, started)
            if self._done.get(entry.key) != entry.version:
                self._queue.append(entry)
        self._due = self._clock() + max(_SCAN, _SHARE * (self._clock() - started))

    def _missed(self, there: set[str], now: float) -> Iterator[Entry]:
        """What has gone but is still open, to be read until nobody writes to it any more."""
        for key in there & self._gone.keys():
            del self._gone[key]
        for key in (self._places.keys() | self._held.keys()) - there:
            since = self._gone.setdefault(key, now)
            held = self._held.get(key)
            if there and now - since > _KEPT:
                self._forget(key)
            elif held is not None:
                try:
                    version = held.version
                except OSError:  # its volume is away
                    version = ""
                if not version or self._over(key, version, now):
                    self._held.pop(key).close()
                else:
                    yield Entry(key, held.path, version, held.size, 0, ended=True)

    def _over(self, key: str, version: str, now: float) -> bool:
        """Whether all of this version was read, and nobody has written for long enough."""
        known, since = self._changed.get(key, ("", now))
        return self._done.get(key) == version == known and now - since >= self._quiet

    def _forget(self, key: str) -> None:
        held = self._held.pop(key, None)
        if held is not None:
            held.close()
        for known in (self._places, self._changed, self._done, self._gone):
            known.pop(key, None)

    def _entries(self) -> Iterator[Entry]:
        """The files as they are now, in the order in which they are read."""
        if self._path.is_dir():
            for path in sorted(self._path.rglob("*")):
                entry = _entry(path)
                if entry and (path.suffix in SUFFIXES or entry.key in self._places):
                    yield entry
            return
        # What was rotated away under a longer name has its rest read first.
        siblings = self._path.parent.glob(f"{glob.escape(self._path.name)}?*")
        rotated = [
            entry for path in siblings if (entry := _entry(path)) and entry.key in self._places
        ]
        for entry in sorted(rotated, key=lambda one: one.changed):
            yield entry._replace(ended=True)
        current = _entry(self._path)
        if current:
            yield current
        else:
            self.problem = f"{self._path} is not there; it is read as soon as it is"


def _entry(path: Path) -> Entry | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    if not S_ISREG(stat.st_mode):
        return None
    # Without the device, whose number may change with every start: what is mounted inside a folder
    # is a folder of its own.
    version = f"{stat.st_size}:{stat.st_mtime_ns}"
    return Entry(str(stat.st_ino), path, version, stat.st_size, stat.st_mtime_ns)
