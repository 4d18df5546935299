"""Process: what both services need of the process: its clock, its signals, its stderr."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Callable


def clock() -> int:
    """Microseconds since 1970: the one place where the drivers read the wall clock."""
    return time.time_ns() // 1000


def stop_on_signals(stop: asyncio.Event, seen: set[int]) -> None:
    """SIGTERM and SIGINT set `stop`, and are noted in `seen`."""

    def noted(number: int) -> None:
        seen.add(number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, noted, number)


def on_hangup(asked: Callable[[], object]) -> None:
    """SIGHUP calls `asked`, and ends nothing."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, asked)


def say(progress: str) -> None:
    """A line for the person who started it."""
    print(f"barograph: {progress}", file=sys.stderr, flush=True)
