"""Volume: more in an hour than a group has in such hours.

Laws:
1. An hour is held to its bound, which the hours before it decide: it is the same from the first
   observation of the hour to the last, whenever they come.
2. What is usual is the median of the same hour of each day remembered, if there are seven and it is
   not zero; else (the group is young, or rests at this hour) of the busiest hours of the days on
   which anything happened. If the same hour of a week before had more, that is usual.
3. The bound is the greatest of `least`, `times` the usual, and the median and `deviations` times
   the median absolute deviation from it. A group without three such days has none.
4. The observation with which the total passes the bound speaks, once in an hour.
5. A sum is counted in millionths, each number rounded as `accumulator.number` does it and then
   down; what is negative or no number adds nothing. No total grows beyond 2^60.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from correlators.accumulator.number import numeral
from correlators.habits import hours
from correlators.habits.departure import Departure
from correlators.habits.hours import Past
from schemas.habit import Volume, bare
from schemas.rows import Row
from schemas.times import BEGINNING, HOUR, rfc3339

ONE: Final = 1_000_000  # what a match, or the number 1, adds
MOST: Final = 2**60
DAYS: Final = 7  # days of which the same hour is known, and then says what is usual
ACTIVE: Final = 3  # days on which there was anything, at least

_NEVER: Final = BEGINNING


class Bound(msgspec.Struct, array_like=True, frozen=True):
    """What an hour is held to, and the usual that it comes from."""

    most: int
    usual: int


class Totals(msgspec.Struct, array_like=True, tag="volume"):
    """The present hour, and the past ones; `first` is the hour in which the group was first seen.

    `said`: the bound of the hour was passed.
    """

    first: int = _NEVER
    hour: int = _NEVER
    total: int = 0
    said: bool = False
    bound: Bound | None = None
    past: Past = ()

    def apply(self, habit: Volume, time: int, rows: Sequence[Row], /) -> Iterator[Departure]:
        """What passes the bound."""
        hour = hours.of(time)
        if hour != self.hour:
            self._begin(habit, hour)
        for row in rows:
            self.total = min(self.total + row.body["amount"], MOST)
            if self.bound is not None and not self.said and self.total > self.bound.most:
                self.said = True
                yield Departure(time, row, self._usual(self.bound))

    def fire(self, habit: Volume, until: int, /) -> Iterator[Departure]:
        """Forget a group of which nothing is remembered."""
        due = self.due(habit)
        if due is not None and due < until:
            self.first = self.hour = _NEVER
            self.total, self.said, self.bound, self.past = 0, False, None, ()
        yield from ()

    def due(self, habit: Volume, /) -> int | None:
        """When all is forgotten."""
        return None if self.hour == _NEVER else (self.hour + 1) * HOUR + habit.memory

    def copy(self) -> Totals:
        """A copy that can be changed: the past is replaced, never altered."""
        return msgspec.structs.replace(self)

    @property
    def idle(self) -> bool:
        """True if nothing is known of the group."""
        return self.hour == _NEVER

    def _begin(self, habit: Volume, hour: int) -> None:
        remembered = hour - habit.memory // HOUR
        if self.hour == _NEVER:
            self.first = hour
        else:
            ended = (*self.past, (self.hour, self.total)) if self.total else self.past
            self.past = hours.kept(ended, remembered)
        self.hour, self.total, self.said = hour, 0, False
        self.bound = bound(habit, self.past, max(self.first, remembered), hour)

    def _usual(self, bound: Bound) -> dict[str, Any]:
        return {
            "hour": rfc3339(self.hour * HOUR),
            "total": spelled(self.total),
            "usual": spelled(bound.usual),
            "bound": spelled(bound.most),
        }


def bound(habit: Volume, past: Past, first: int, hour: int) -> Bound | None:
    """The bound of an hour of a group that is known since the hour `first`, if it has one."""
    if (hour - first) * HOUR < habit.learning:
        return None
    busiest = hours.peaks(past, hour)
    if len(busiest) < ACTIVE:
        return None
    known = dict(past)
    numbers = hours.same_hours(known, hour, first)
    center = hours.median(numbers) if len(numbers) >= DAYS else 0
    if not center:
        numbers = busiest
        center = hours.median(numbers)
    usual = max(center, hours.last_weeks(known, hour, first))
    apart = center + habit.deviations * hours.spread(numbers, center)
    return Bound(min(max(habit.least * ONE, habit.times * usual, apart), MOST), usual)


def amount(habit: Volume, fields: Mapping[str, Any]) -> int | None:
    """What a match adds; None if it has none of the fields that are summed."""
    if not habit.sum:
        return ONE
    numbers = [numeral(fields.get(bare(name))) for name in habit.sum]
    found = [Decimal(number) for number in numbers if number is not None]
    if not found:
        return None
    return min(sum(max(int(number * ONE), 0) for number in found), MOST)


def spelled(number: int) -> str:
    """A number of millionths as a decimal."""
    whole, rest = divmod(number, ONE)
    return f"{whole}.{rest:06}".rstrip("0") if rest else str(whole)
