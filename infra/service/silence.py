"""Silence: how far the wall clock says that time has passed in a lane that says nothing.

Laws:
1. Time passes up to when all that had arrived was read, whatever the other inputs have to say: by
   an empty look at the input, or by the arrival stamp of what was read last.
2. Silence is counted by a clock that nobody sets, and only while somebody listened: a process that
   was stopped, or a machine that slept, has heard nothing because it did not look.
3. Where the wall clock is set, silence is counted anew: senders come first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from schemas.times import SECOND

LISTENED: Final = 5.0  # seconds that one round of the loop counts for, at most
STEP: Final = 10 * SECOND  # by which the clocks may part in one round and nobody has set one


class Silence:
    """Of the lanes of all inputs; `clock` is the wall clock (microseconds), `steady` in seconds."""

    def __init__(
        self, lanes: Iterable[str], clock: Callable[[], int], steady: Callable[[], float]
    ) -> None:
        self._clock, self._steady = clock, steady
        self._wall, self._then = clock(), steady()
        self._listened = 0.0
        self._heard = dict.fromkeys(lanes, 0.0)
        self._read: dict[str, int] = {}  # by input: what arrived before that was read

    def look(self) -> None:
        """The inputs are looked at now, once more."""
        wall, then = self._clock(), self._steady()
        gone = then - self._then
        self._listened += min(gone, LISTENED)
        if abs(wall - self._wall - gone * SECOND) > STEP:
            self._heard = dict.fromkeys(self._heard, self._listened)
            self._read.clear()
        self._wall, self._then = wall, then

    def empty(self, name: str) -> None:
        """The input had nothing at this look."""
        self._read[name] = self._wall

    def heard(self, name: str, lane: str, received: int | None) -> None:
        """Something came in this lane; all of the input that arrived before `received` was read."""
        self._heard[lane] = self._listened
        if received is not None:
            self._read[name] = min(received, self._wall)  # it may be of a clock that was ahead

    def passed(self, name: str, lane: str, idle: int) -> int | None:
        """The time that has passed in a lane; None if it has not been silent for `idle`.

        It is told once in `idle`.
        """
        if (self._listened - self._heard[lane]) * SECOND <= idle:
            return None
        self._heard[lane] = self._listened
        return self._read.get(name)
