"""Alignment: raw partitions that catch up do so side by side.

The stages behind them settle nothing before the slowest input has told it, so whatever the others
are ahead waits in memory. Only a backlog is held back: what comes now is read at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from schemas.times import MINUTE

AHEAD: Final = 10 * MINUTE  # of event time


class Standing(NamedTuple):
    """How far time has come in a partition (microseconds), and how many records it is behind."""

    reached: int
    lag: int


def held(mine: Standing, others: Iterable[Standing], batch: int) -> bool:
    """Whether it waits for the others: a whole batch of it can be read, and it is ahead of one.

    Who has nothing to read holds nobody up, and of those that have, one always goes on.
    """
    if mine.lag < batch:
        return False
    return any(other.lag > 0 and other.reached + AHEAD < mine.reached for other in others)
