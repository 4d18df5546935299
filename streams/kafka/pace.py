"""Pace: how many records a step takes, by what the last steps of its part cost.

The heartbeats of a worker live in the loop in which its steps compute. Who computes for longer than
the session timeout loses its partitions, begins anew, and would take as large a step again: so
steps begin with one record, and are as large as is expected to take `EXPECTED` seconds. Where steps
are cut changes no result.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

EXPECTED: Final = 2.0  # seconds of a step
LONGEST: Final = 4.0  # of one that costs as much whatever it takes: less than half of SESSION
SESSION: Final = 10.0  # seconds without a heartbeat after which the group gives partitions away
# A transaction costs as much as a thousand records. After a small step the next one waits until
# this much time has passed, so that busy stages take more at once; what comes after a pause does
# not wait. Meanwhile nothing is fetched ahead: it would be old by then, and what came since would
# wait for one more step, as would all partitions of that broker.
FEW: Final = 1_000  # records
PAUSE: Final = 0.2  # seconds
CALM: Final = 1.0  # seconds, where what is said may be heard a second later
GROWTH: Final = 64  # a step takes so many times the records of the last one, at most
# Two steps tell what of their cost is not the records': more alike they tell chance, and less alike
# that records differ.
_ALIKE, _UNLIKE = 1.5, 64.0
_ROOM: Final = 0.5  # seconds for records, whatever else a step costs
_LONG: Final = 0.1  # seconds of a step behind which others have a turn
_TURN: Final = 0.05  # of what it took


class Pace:
    """`records`: how many the next step of a part takes, from 1 to `batch`.

    A step costs something whatever it takes, and something by its records. Where the first is
    more than half of `EXPECTED`, smaller steps would only get less done: then the records may cost
    as much again, up to `LONGEST`.
    """

    def __init__(self, batch: int) -> None:
        self.records = 1
        self._batch = batch
        self._fixed = 0.0  # seconds of a step that are not its records'
        self._last: tuple[int, float] | None = None

    def took(self, records: int, seconds: float) -> None:
        """Take note of a step; one of no records says nothing."""
        if records == 0:
            return
        self._fixed = self._not_of_records(records, seconds)
        self._last = records, seconds
        fixed = self._fixed
        room = max(EXPECTED - fixed, min(fixed, LONGEST - fixed), _ROOM)
        each = (seconds - fixed) / records
        most = min(self._batch, GROWTH * self.records)
        fits = most if each * most <= room else int(room / each)
        # With one record nobody knows what of it is the record's; two are tried.
        least = 2 if self.records == 1 and seconds < LONGEST else 1
        self.records = max(min(least, self._batch), fits)

    def _not_of_records(self, records: int, seconds: float) -> float:
        if self._last is None:
            return 0.0
        before, took = self._last
        ratio = max(records, before) / min(records, before)
        if ratio < _ALIKE:
            return min(self._fixed, seconds)
        if ratio > _UNLIKE:
            return 0.0
        each = max(0.0, (seconds - took) / (records - before))
        return max(0.0, seconds - each * records)


class Processor:
    """What all parts of a worker compute on, one after the other; all else has a turn between."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """Compute in here, and await nothing."""
        async with self._turn:
            began = time.monotonic()
            yield
            took = time.monotonic() - began
            if took > _LONG:
                await asyncio.sleep(took * _TURN)
