"""The definition of windows and episodes written down directly: every hit against every other."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from correlators.accumulator import Hit
from schemas.correlation import OPERATORS, STATISTICS, Clause, Correlation
from schemas.times import DAY


class Expected(NamedTuple):
    """An episode: the smallest id at its onset, and its times."""

    id: str
    onset: int
    last: int


def episodes(rule: Correlation, hits: Sequence[Hit]) -> list[Expected]:
    """Maximal runs of qualifying times with gaps of at most one timespan, cut where too long.

    Time goes on for ever after the last hit.
    """
    found: list[Expected] = []
    for time in qualifying(rule, hits):
        cut = _floor(rule, time) if _awaits(rule) else time
        if (
            found
            and time - found[-1].last <= rule.timespan
            and cut - found[-1].onset <= max(DAY, 10 * rule.timespan)
        ):
            found[-1] = found[-1]._replace(last=time)
        else:
            smallest = min(hit.id for hit in hits if hit.time == time)
            found.append(Expected(smallest, time, time))
    return found


def qualifying(rule: Correlation, hits: Sequence[Hit]) -> list[int]:
    """The times at which the condition holds."""
    return [time for time in sorted({hit.time for hit in hits}) if _qualifies(rule, hits, time)]


def counted(rule: Correlation, hits: Sequence[Hit], onset: int, last: int) -> tuple[int, int]:
    """Count and first time of an episode: all hits from onset to last, and what counts before it.

    Only for types that know all that counts in a window.
    """
    since = (
        onset - rule.timespan if rule.type == "event_count" else _floor(rule, onset - rule.timespan)
    )
    before = [hit for hit in hits if since <= hit.time < onset]
    if rule.type != "event_count":
        before = [hit for hit in before if hit.value is not None]
    inside = [hit for hit in hits if onset <= hit.time <= last]
    return len(before) + len(inside), min(hit.time for hit in (*before, *inside))


def _floor(rule: Correlation, time: int) -> int:
    """The beginning of the cell of `time`: 64 to a timespan, counted from 1970."""
    return time - time % (rule.timespan // 64)


def _qualifies(rule: Correlation, hits: Sequence[Hit], time: int) -> bool:
    window = [hit for hit in hits if time - rule.timespan <= hit.time <= time]
    if rule.clauses:
        return any(_holds(rule, clause, hits, time) for clause in rule.clauses)
    if rule.type in STATISTICS:
        edge = _floor(rule, time - rule.timespan)
        numbers = [
            Fraction(hit.value)
            for hit in hits
            if edge <= hit.time <= time and hit.value is not None
        ]
        return bool(numbers) and _compare(rule, _statistic(rule, sorted(numbers)))
    if rule.type == "event_count":
        return _compare(rule, len(window))
    if rule.type == "value_count":
        values = {hit.value for hit in window if hit.value is not None}
        return bool(values) and _compare(rule, len(values))
    if rule.type == "temporal":
        seen = {name for hit in window for name in hit.names if name in rule.rules}
        return _compare(rule, len(seen)) if rule.condition else len(seen) == len(rule.rules)
    longest = _longest(window, rule.rules, -1)
    return _compare(rule, longest) if rule.condition else longest == len(rule.rules)


def _compare(rule: Correlation, number: int | Fraction) -> bool:
    return all(OPERATORS[op](number, Fraction(n)) for op, n in rule.condition.items())


def _statistic(rule: Correlation, numbers: Sequence[Fraction]) -> Fraction:
    """Sum, mean, or the percentile on the straight line between the two nearest numbers."""
    if rule.type == "value_sum":
        return sum(numbers, Fraction(0))
    if rule.type == "value_avg":
        return sum(numbers, Fraction(0)) / len(numbers)
    place = Fraction(rule.percentile) / 100 * (len(numbers) - 1)
    low = int(place)
    high = min(low + 1, len(numbers) - 1)
    return numbers[low] + (place - low) * (numbers[high] - numbers[low])


def _longest(window: Sequence[Hit], rules: Sequence[str], reached: int) -> int:
    """Of how many of `rules`, in their order, there are hits at non-decreasing times."""
    if not rules:
        return 0
    without = _longest(window, rules[1:], reached)
    times = [hit.time for hit in window if rules[0] in hit.names and hit.time >= reached]
    return max(without, 1 + _longest(window, rules[1:], min(times))) if times else without


def _awaits(rule: Correlation) -> bool:
    return any(_following(rule, clause) for clause in rule.clauses)


def _following(rule: Correlation, clause: Clause) -> set[str]:
    """The absent rules that must not follow: of an ordered rule those behind all present ones."""
    if rule.type == "temporal" or not clause.present:
        return set(clause.absent)
    last = max(map(rule.rules.index, clause.present))
    return {name for name in clause.absent if rule.rules.index(name) > last}


def _holds(rule: Correlation, clause: Clause, hits: Sequence[Hit], time: int) -> bool:
    window = [hit for hit in hits if time - rule.timespan <= hit.time <= time]
    cell = rule.timespan // 64
    end = _floor(rule, time) + cell - 1 + rule.timespan
    following = [hit for hit in hits if time <= hit.time <= end]
    after = _following(rule, clause)
    before = set(clause.absent) if rule.type == "temporal" else set(clause.absent) - after
    if not clause.present:
        before = set(clause.absent)
    if any(before.intersection(hit.names) for hit in window):
        return False
    if any(after.intersection(hit.names) for hit in following):
        return False
    if rule.type == "temporal":
        return all(any(name in hit.names for hit in window) for name in clause.present)
    return _longest(window, clause.present, -1) == len(clause.present)
