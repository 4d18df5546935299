"""Shuffle: another order of arrival, in which nothing becomes late and nothing stops being late."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from schemas.times import BEGINNING


class Span(NamedTuple):
    """The earliest and the latest event time of what arrives together, in microseconds."""

    earliest: int
    latest: int


def shuffled(spans: Sequence[Span], lateness: int, span: int, random: Random) -> list[int]:
    """Places in a new order: each arrives up to `span` (<= lateness) of event time later.

    What was in time is delayed by no more than what is left of its lateness. What is late, or
    longer than the lateness, stays between what came before it and what came after: a late fact
    holds from the watermark that it finds. Final results must be those of the given order.
    """
    order: list[int] = []
    moving: list[tuple[int, float, int]] = []  # arrival, lot, place
    latest = BEGINNING
    for place, (first, last) in enumerate(spans):
        latest = max(latest, last)
        left = lateness - (latest - first)
        if left >= 0:
            arrival = latest + int(random.random() * min(span, left))
            moving.append((arrival, random.random(), place))
        else:
            order += [*_places(moving), place]
            moving = []
    return order + _places(moving)


def _places(moving: Sequence[tuple[int, float, int]]) -> list[int]:
    return [place for _, _, place in sorted(moving)]
