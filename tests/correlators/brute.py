"""The definition of windows and episodes written down directly: every hit against every other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from correlators.accumulator import OPERATORS, Hit
from schemas.correlation import Correlation
from schemas.times import DAY


class Expected(NamedTuple):
    """An episode: the smallest id at its onset, and its times."""

    id: str
    onset: int
    last: int


def episodes(rule: Correlation, hits: Sequence[Hit]) -> list[Expected]:
    """Maximal runs of qualifying times with gaps of at most one timespan, cut where too long."""
    found: list[Expected] = []
    for time in sorted({hit.time for hit in hits}):
        if not _qualifies(rule, [h for h in hits if time - rule.timespan <= h.time <= time]):
            continue
        if (
            found
            and time - found[-1].last <= rule.timespan
            and time - found[-1].onset <= max(DAY, 10 * rule.timespan)
        ):
            found[-1] = found[-1]._replace(last=time)
        else:
            smallest = min(hit.id for hit in hits if hit.time == time)
            found.append(Expected(smallest, time, time))
    return found


def _qualifies(rule: Correlation, window: Sequence[Hit]) -> bool:
    match rule.type:
        case "event_count":
            return _compare(rule, len(window))
        case "value_count":
            values = {hit.value for hit in window if hit.value is not None}
            return bool(values) and _compare(rule, len(values))
        case "temporal":
            return set(rule.rules) <= {name for hit in window for name in hit.names}
        case "temporal_ordered":
            return any(_chained(rule, window, hit.time) for hit in window)


def _compare(rule: Correlation, number: int) -> bool:
    return all(OPERATORS[op](number, n) for op, n in rule.condition.items())


def _chained(rule: Correlation, window: Sequence[Hit], start: int) -> bool:
    """True if from `start` on every rule can be taken in order, each as early as possible.

    Equal times count as in order.
    """
    reached = start
    for name in rule.rules:
        times = [hit.time for hit in window if name in hit.names and hit.time >= reached]
        if not times:
            return False
        reached = min(times)
    return True
