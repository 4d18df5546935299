"""Hours: what happened in each hour of the past, and the numbers that are usual in it.

Hours are counted from 1970 in UTC. All is whole numbers: of an even number of values the median is
the mean of the two in the middle, rounded down; the spread is the median of the distances from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from schemas.times import HOUR

DAY: Final = 24  # hours
WEEK: Final = 168

Past = tuple[tuple[int, int], ...]  # (hour, number), in order; hours without anything are left out


def of(time: int) -> int:
    """The hour of a time."""
    return time // HOUR


def kept(past: Past, first: int) -> Past:
    """Without the hours before `first`."""
    if not past or past[0][0] >= first:
        return past
    return tuple(one for one in past if one[0] >= first)


def same_hours(past: Mapping[int, int], hour: int, first: int) -> list[int]:
    """The numbers of the same hour of each day before, back to the hour `first`; 0 where none."""
    return [past.get(one, 0) for one in range(hour - DAY, first - 1, -DAY)]


def peaks(past: Iterable[tuple[int, int]], hour: int) -> list[int]:
    """The greatest number of each 24 hours before `hour` in which there was anything."""
    found: dict[int, int] = {}
    for one, number in past:
        day = (hour - 1 - one) // DAY
        if number > found.get(day, 0):
            found[day] = number
    return list(found.values())


def last_weeks(past: Mapping[int, int], hour: int, first: int) -> int:
    """The greatest number of the same hour of the weeks before."""
    return max((past.get(one, 0) for one in range(hour - WEEK, first - 1, -WEEK)), default=0)


def median(numbers: Sequence[int]) -> int:
    """See above; there is at least one number."""
    ordered = sorted(numbers)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) // 2


def spread(numbers: Sequence[int], center: int) -> int:
    """The median absolute deviation."""
    return median([abs(number - center) for number in numbers])
