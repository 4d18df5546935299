"""Progress: the number of records on a terminal, every now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Final

EVERY: Final = 0.5  # seconds from one word of progress to the next


class Progress:
    """Says to a person who waits how far it is; nothing where nobody looks."""

    def __init__(self) -> None:
        self._due = time.monotonic() + EVERY

    def __call__(self, read: Callable[[], int]) -> None:
        """`read` is asked how many records were read so far, if it is time to say it."""
        if sys.stderr.isatty() and time.monotonic() >= self._due:
            print(f"{read():,} records\r", end="", file=sys.stderr, flush=True)
            self._due = time.monotonic() + EVERY

    def of_run(self, _: object, counts: Callable[[], Mapping[str, int]]) -> None:
        """Watch a finite run."""
        self(lambda: counts()["read"])
