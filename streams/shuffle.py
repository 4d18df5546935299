"""Shuffle: another order of arrival of the same records, in which none becomes late and none stops being late."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random


def shuffled(times: Sequence[int], lateness: int, span: int, random: Random) -> list[int]:
    """Indexes in a new order. Each record arrives up to `span` (<= lateness) microseconds of event time later.

    A record that was in time is delayed by no more than what is left of its lateness; a late one comes after all
    that came before it, so that it stays late. Final results must be those of the given order.
    """
    latest, arrival = -(2**62), []
    for index, time in enumerate(times):
        behind = max(0, latest - time)
        latest = max(latest, time)
        left = lateness - behind
        delay = random.random() * min(span, left) if left >= 0 else span
        arrival.append((latest + int(delay), left < 0, random.random(), index))
    return [index for *_, index in sorted(arrival)]
