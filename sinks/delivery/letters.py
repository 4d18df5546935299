"""Dead letters of sinks: what a receiver will never take, with the reason, in one bounded file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any, Final

import orjson

from schemas.times import rfc3339
from sinks.delivery.sink import Refused

FILE: Final = "dead-letters.jsonl"  # in the data folder
MAX_BYTES = 64 * 2**20  # then the file becomes `.1`, whose older content goes


class DeadLetters:
    """Lines of JSON in `path`, on disk before `add` returns; for all sinks of a process.

    A kill may repeat a line.
    """

    def __init__(self, path: Path, clock: Callable[[], int], max_bytes: int = MAX_BYTES) -> None:
        self._path = path
        self._clock = clock
        self._max_bytes = max_bytes
        self._mutex = Lock()
        self.count = 0

    def add(self, sink: str, refused: Iterable[Refused]) -> None:
        """Keep these results of this sink; OSError if the disk refuses."""
        time = rfc3339(self._clock())
        lines = [
            orjson.dumps(
                {
                    "time": time,
                    "sink": sink,
                    "reason": reason,
                    "kind": result.kind,
                    "id": result.id,
                    "record": result.body,
                },
                option=orjson.OPT_APPEND_NEWLINE,
            )
            for result, reason in refused
        ]
        if not lines:
            return
        with self._mutex:
            self._append(lines)

    def _append(self, lines: Sequence[bytes]) -> None:
        if self._path.exists() and self._path.stat().st_size > self._max_bytes:
            self._path.replace(_older(self._path))
        with self._path.open("ab+", buffering=0) as file:
            length = os.fstat(file.fileno()).st_size
            torn = length > 0 and os.pread(file.fileno(), 1, length - 1) != b"\n"
            # What a kill cut short stays a line of its own, or the next one would be lost in it.
            rest = memoryview(b"\n" * torn + b"".join(lines))
            try:
                while rest:
                    rest = rest[file.write(rest) :]
                os.fsync(file.fileno())
            except OSError:
                os.ftruncate(file.fileno(), length)
                raise
        self.count += len(lines)


def letters(path: Path) -> Iterator[dict[str, Any]]:
    """What was added, the oldest first; a line that a kill cut short is passed over."""
    for file in (_older(path), path):
        if not file.exists():
            continue
        with file.open("rb") as lines:
            for line in lines:
                with suppress(orjson.JSONDecodeError):
                    yield orjson.loads(line)


def _older(path: Path) -> Path:
    return path.with_name(f"{path.name}.1")
