"""The definition of windows and episodes written down directly: every hit against every other, nothing kept small."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from correlators.window import OPERATORS, Hit
from schemas.correlation import Correlation
from schemas.times import DAY


class Expected(NamedTuple):
    """An episode by its times; `first` and `count` only where the definition gives them (event_count)."""

    id: str
    onset: int
    last: int


def episodes(rule: Correlation, hits: Sequence[Hit]) -> list[Expected]:
    """All episodes over `hits`: maximal runs of qualifying times with gaps of at most one timespan."""
    found: list[Expected] = []
    for time in sorted({hit.time for hit in hits}):
        if not _qualifies(rule, [h for h in hits if time - rule.timespan <= h.time <= time]):
            continue
        smallest = min(hit.id for hit in hits if hit.time == time)
        if (
            found
            and time - found[-1].last <= rule.timespan
            and time - found[-1].onset <= max(DAY, 10 * rule.timespan)
        ):
            found[-1] = found[-1]._replace(last=time)
        else:
            found.append(Expected(smallest, time, time))
    return found


def _qualifies(rule: Correlation, window: Sequence[Hit]) -> bool:
    if rule.type == "event_count":
        return all(OPERATORS[op](len(window), n) for op, n in rule.condition.items())
    if rule.type == "value_count":
        values = {hit.value for hit in window if hit.value is not None}
        return bool(values) and all(
            OPERATORS[op](len(values), n) for op, n in rule.condition.items()
        )
    if rule.type == "temporal":
        return set(rule.rules) <= {name for hit in window for name in hit.names}
    reached = -(
        2**63
    )  # temporal_ordered: take each rule as early as possible, equal times count as in order
    best: list[int] = []
    for start in sorted({hit.time for hit in window}):
        reached = start
        for name in rule.rules:
            times = [hit.time for hit in window if name in hit.names and hit.time >= reached]
            if not times:
                break
            reached = min(times)
        else:
            best.append(start)
    return bool(best)
