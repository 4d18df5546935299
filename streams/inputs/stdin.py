"""Stdin: a pipe that is copied into a spool, so that what was read survives a kill of the process.

Guarantee: what has been copied is read, whatever happens. What was still in the pipe is the
writer's to send again.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Final

from schemas.config import Limits
from schemas.errors import Mistake
from streams.inputs.spool import Spool
from streams.source import HEAD, Source, sniffed

_BLOCK: Final = 2**20
_PAUSE: Final = 0.1  # seconds between two looks at a full spool: the pipe holds its writer back
_AGAIN: Final = 1.0  # seconds between two attempts at a disk that refuses


class Stdin:
    """Copies lines from a descriptor.

    `problem` says in a sentence why it does not go on, or has stopped before the end; `ended`: it
    copies no more.
    """

    def __init__(self, spool: Spool, limits: Limits, named: Source | None, file: int = 0) -> None:
        self.problem: str | None = None
        self.ended = False
        self._spool = spool
        self._limits = limits
        self._named = named
        self._file = file
        self._stop = threading.Event()

    def start(self) -> None:
        """Copy in a thread that does not keep the process alive: a read cannot be interrupted."""
        threading.Thread(target=self.copy, name="stdin", daemon=True).start()

    def stop(self) -> None:
        """Copy no more."""
        self._stop.set()

    def copy(self) -> None:
        """Copy until the end of the pipe, then say to the spool that nothing more will come."""
        try:
            self._copy()
        except Mistake as error:
            self.problem = str(error)
        except OSError as error:
            self.problem = f"stdin is not read any more: {error.strerror}"
        else:
            self._spool.finish()
        finally:
            self.ended = True

    def _copy(self) -> None:
        rest = bytearray()
        while not self._stop.is_set():
            if self._spool.full:
                self._stop.wait(_PAUSE)
                continue
            block = os.read(self._file, _BLOCK)
            cut = block.rfind(b"\n") + 1
            # A line that does not fit is handed on in pieces, for its source to reject.
            if block and not cut and len(rest) < self._limits.document_bytes:
                rest += block
                continue
            lines = (bytes(rest) + block[:cut]).split(b"\n")
            rest = bytearray(block[cut:])
            documents = [line for line in map(bytes.strip, lines) if line]
            if documents:
                self._named = self._named or self._sniffed(documents[0])
                self._keep(documents, self._named.NAME)
            if not block:
                return

    def _keep(self, documents: Sequence[bytes], source: str) -> None:
        """They are in the pipe no more: a disk that is full is waited for, and so is its writer."""
        while True:
            try:
                self._spool.append(documents, source)
            except OSError as error:
                self.problem = f"stdin waits for room on the disk: {error.strerror}"
                if self._stop.wait(_AGAIN):
                    return
            else:
                self.problem = None
                return

    def _sniffed(self, first: bytes) -> Source:
        source = sniffed(first[:HEAD])
        if source is None:
            raise Mistake(
                "no source knows what comes on stdin; name one with `source` of the input"
            )
        return source
