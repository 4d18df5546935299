"""JSONL files: every state of every record in order of emission, one file per kind.

Guarantee: whole lines only, each result once: what a kill left behind the last saved bookmark is
cut off and written again.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

import orjson

from schemas.config import SinkConfig
from schemas.rows import Result
from sinks.delivery.sink import Delivered

FILES = {
    "signal": "signals.jsonl",
    "finding": "findings.jsonl",
    "alert": "alerts.jsonl",
    "reject": "rejects.jsonl",
    "late": "late.jsonl",
}


class Settings(SinkConfig):
    """`path` is the folder of the files."""

    path: str


def connect(settings: Settings, folder: Path) -> Jsonl:
    """The files of these settings."""
    return Jsonl(folder / settings.path)


class Jsonl:
    """The files of one folder; the bookmark is their lengths.

    With `final`, only results that can no longer change.
    """

    local = True

    def __init__(self, folder: Path, *, final: bool = False) -> None:
        self.kinds = frozenset(FILES)
        self._folder = folder
        self._final = final
        self._files: dict[str, int] = {}
        self._lengths: dict[str, int] = {}

    def open(self, bookmark: Any) -> None:  # noqa: ANN401 - JSON
        """Go on behind the bookmark.

        Without one the files begin anew; what is there already is set aside as `.1`, `.2`...
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        for kind, name in FILES.items():
            path = self._folder / name
            if bookmark is None and path.exists() and path.stat().st_size:
                path.rename(_free(path))
            self._files[kind] = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            self._lengths[name] = 0 if bookmark is None else bookmark[name]
        self._cut()

    def write(self, batch: Sequence[Result]) -> Delivered:
        """Append and sync; a full disk is a problem that leaves the files as they were."""
        lines: dict[str, list[bytes]] = {}
        for result in batch:
            if result.kind in FILES and (result.state == "final" or not self._final):
                line = orjson.dumps(result.body, option=orjson.OPT_APPEND_NEWLINE)
                lines.setdefault(result.kind, []).append(line)
        longer = dict(self._lengths)
        try:
            for kind, added in lines.items():
                longer[FILES[kind]] += _append(self._files[kind], b"".join(added))
        except OSError as error:
            self._cut()
            return Delivered(0, problem=f"cannot write to {self._folder}: {error.strerror}")
        self._lengths = longer
        return Delivered(len(batch), bookmark=longer)

    def flush(self) -> None:
        """Nothing to do: every batch is on disk."""

    def close(self) -> None:
        """Close the files."""
        while self._files:
            os.close(self._files.popitem()[1])

    def _cut(self) -> None:
        for kind, file in self._files.items():
            length = self._lengths[FILES[kind]]
            if os.fstat(file).st_size > length:
                os.ftruncate(file, length)


def _append(file: int, data: bytes) -> int:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]
    os.fsync(file)
    return len(data)


def _free(path: Path) -> Path:
    return next(p for n in count(1) if not (p := path.with_name(f"{path.name}.{n}")).exists())
