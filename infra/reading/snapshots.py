"""Snapshots: the newest snapshot of the store, open for many threads at once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from infra.reading.reader import Reader
from schemas.errors import Mistake, Unavailable
from sinks.delivery.sink import Sink
from sinks.store import Derive, Store

NO_STORE = (
    "no sink of this run keeps a store, so there is nothing to ask; add one: [[sink]] with"
    ' name = "store" and kind = "store"'
)
UNREADABLE = "the snapshot of the store cannot be read; the next one takes its place"
NOT_YET = "the store has not published anything yet; ask again in a few seconds"


Identity = tuple[int, int]  # time of writing in nanoseconds, and size: others, another snapshot


class Lease(NamedTuple):
    """A reader for one thread, when its snapshot was made (microseconds), and where they lie."""

    reader: Reader
    taken: int
    path: Path


@dataclass
class _Open:
    """A snapshot that is read by so many `users`; closed once it is old and has none."""

    file: Identity
    reader: Reader
    users: int = 0
    old: bool = False


def published(sinks: Iterable[Sink]) -> Path | None:
    """Where the first sink that is a store puts its snapshots; None if there is no such sink."""
    return next((sink.snapshot for sink in sinks if isinstance(sink, Store)), None)


def assessing(sinks: Iterable[Sink], derive: Derive) -> None:
    """Have every store among them derive its tables by `derive`."""
    for sink in sinks:
        if isinstance(sink, Store):
            sink.derive = derive


class Snapshots:
    """One Reader for each snapshot, whoever asks; what is asked of an older one still ends."""

    def __init__(self, path: Path | None) -> None:
        """`path` is the file that is replaced; None where nothing keeps a store."""
        self._path = path
        if path is not None:
            for left in path.parent.glob(f".{path.stem}-*.duckdb"):  # by one that was killed
                left.unlink(missing_ok=True)
        self._lock = Lock()
        self._open: _Open | None = None

    @property
    def kept(self) -> bool:
        """Whether there is a store at all."""
        return self._path is not None

    def identity(self) -> Identity | None:
        """What differs between two snapshots; None while there is none."""
        try:
            return None if self._path is None else _identity(self._path)
        except FileNotFoundError:
            return None

    @contextmanager
    def lease(self) -> Generator[Lease]:
        """The newest snapshot; raises Unavailable if there is none."""
        with self._lock:
            path, opened = self._newest()
            reader = opened.reader.beside()
            opened.users += 1
        try:
            yield Lease(reader, opened.file[0] // 1_000, path)
        finally:
            reader.close()
            with self._lock:
                opened.users -= 1
                self._let_go(opened)

    def close(self) -> None:
        """Give the file back; who still reads is not disturbed."""
        with self._lock:
            self._leave()

    def _newest(self) -> tuple[Path, _Open]:
        if self._path is None:
            raise Unavailable(NO_STORE)
        file = self.identity()
        if file is None:
            raise Unavailable(NOT_YET)
        if self._open is None or self._open.file != file:
            self._leave()
            self._open = _opened(self._path)
        return self._path, self._open

    def _leave(self) -> None:
        if self._open is not None:
            self._open.old = True
            self._let_go(self._open)
            self._open = None

    def _let_go(self, opened: _Open) -> None:
        if opened.old and not opened.users:
            opened.reader.close()


def _opened(path: Path) -> _Open:
    # DuckDB knows an open database by its path, and would answer for a new file at that path with
    # the one that was there before, as long as somebody reads it: each gets a name of its own.
    name = path.with_name(f".{path.stem}-{os.urandom(8).hex()}.duckdb")
    try:
        try:
            os.link(path, name)
        except FileNotFoundError:
            raise Unavailable(NOT_YET) from None
        except OSError:  # a file system without links
            shutil.copy2(path, name)
        return _Open(_identity(name), Reader(name))
    except Mistake as error:
        raise Unavailable(UNREADABLE) from error
    except OSError as error:
        raise Unavailable(f"{UNREADABLE} ({error.strerror or error})") from error
    finally:
        name.unlink(missing_ok=True)


def _identity(path: Path) -> Identity:
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_size
