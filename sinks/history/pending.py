"""Pending: what the sink has taken and no Parquet file holds yet, in one log on disk."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from schemas.rows import Result

NAME = "pending.jsonl"


class Pending:
    """Results in order of emission. What `add` has returned from is there after a kill.

    Whoever has the log open is the one writer of the folder: its lock ends with the process.
    """

    def __init__(self, folder: Path) -> None:
        """Open the log of this folder; half a line that a kill left is cut off.

        OSError if somebody else has it open.
        """
        self._file = os.open(folder / NAME, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._file)
            raise OSError(
                f"another process writes the history in {folder}: stop it, or give one of the two"
                " another path"
            ) from error
        self.results: list[Result] = []
        self.size = 0
        decoder = msgspec.json.Decoder(Result)
        with (folder / NAME).open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                self.results.append(decoder.decode(line))
                self.size += len(line)
        os.ftruncate(self._file, self.size)

    def add(self, results: Sequence[Result]) -> None:
        """Keep them; OSError, and none of them is kept, if the disk refuses."""
        data = b"".join(msgspec.json.encode(result) + b"\n" for result in results)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._file, rest) :]
            os.fsync(self._file)
        except OSError:
            os.ftruncate(self._file, self.size)
            raise
        self.results.extend(results)
        self.size += len(data)

    def clear(self) -> None:
        """All of it is elsewhere."""
        os.ftruncate(self._file, 0)
        os.fsync(self._file)
        self.results.clear()
        self.size = 0

    def close(self) -> None:
        """Give the file back."""
        os.close(self._file)
