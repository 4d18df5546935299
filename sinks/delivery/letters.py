"""Dead letters of sinks: what a receiver will never take, with the reason, in one bounded file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from threading import Lock

import orjson

from schemas.times import rfc3339
from sinks.delivery.sink import Refused

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
            self._path.replace(self._path.with_name(self._path.name + ".1"))
        with self._path.open("ab") as file:
            file.write(b"".join(lines))
            file.flush()
            os.fsync(file.fileno())
        self.count += len(lines)
