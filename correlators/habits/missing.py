"""Missing: an hour of matches without the mark that the hours of a group have.

Laws:
1. An hour counts if it has `least` matches without a mark, which go on, or one with it. It is
   marked if one has it.
2. A group has the habit if at least `hours` of the hours remembered count, and nine of ten of these
   are marked. What is missing is known at the end of an hour that counts and is not.
3. It is said once, by the first match of that hour, at its end; and again once a mark was seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from correlators.habits import hours
from correlators.habits.departure import Departure
from correlators.habits.hours import Past
from schemas.habit import Missing
from schemas.rows import Row
from schemas.times import BEGINNING, HOUR, rfc3339

MARKED: Final = 1
BARE: Final = 0

_NEVER: Final = BEGINNING


class Marks(msgspec.Struct, array_like=True, tag="missing"):
    """The present hour, by its first match, and which of the past ones had a mark.

    `said`: the mark is missing, and was not seen again.
    """

    first: int = _NEVER
    hour: int = _NEVER
    count: int = 0
    marked: bool = False
    by: Row | None = None
    said: bool = False
    past: Past = ()

    def apply(self, habit: Missing, time: int, rows: Sequence[Row], /) -> Iterator[Departure]:
        """Count; what comes of it is known at the end of the hour."""
        hour = hours.of(time)
        if self.hour == _NEVER:
            self.first = hour
        if hour != self.hour:
            self._begin(habit, hour)
        for row in rows:
            if row.body["marked"]:
                self.marked, self.said = True, False
            else:
                self.count += 1
                self.by = self.by or row
        yield from ()

    def fire(self, habit: Missing, until: int, /) -> Iterator[Departure]:
        """The mark is missing at the end of the hour; much later the group is forgotten."""
        if self._open(habit) and self._end < until and self.by is not None:
            self.said = True
            yield Departure(self._end + 1, self.by, self._usual())
        if self.hour != _NEVER and self._forgotten(habit) < until:
            self.first = self.hour = _NEVER
            self.count, self.marked, self.by, self.said, self.past = 0, False, None, False, ()

    def due(self, habit: Missing, /) -> int | None:
        """The end of the hour if that says something, else when all is forgotten."""
        if self.hour == _NEVER:
            return None
        return self._end if self._open(habit) else self._forgotten(habit)

    def copy(self) -> Marks:
        """A copy that can be changed: the past is replaced, never altered."""
        return msgspec.structs.replace(self)

    @property
    def idle(self) -> bool:
        """True if nothing is known of the group."""
        return self.hour == _NEVER

    @property
    def _end(self) -> int:
        return (self.hour + 1) * HOUR - 1

    def _forgotten(self, habit: Missing) -> int:
        return (self.hour + 1) * HOUR + habit.memory

    def _begin(self, habit: Missing, hour: int) -> None:
        if self.marked or self.count >= habit.least:
            self.past = (*self.past, (self.hour, MARKED if self.marked else BARE))
        self.past = hours.kept(self.past, hour - habit.memory // HOUR)
        self.hour, self.count, self.marked, self.by = hour, 0, False, None

    def _open(self, habit: Missing) -> bool:
        if self.said or self.marked or self.count < habit.least:
            return False
        learnt = (self.hour - self.first) * HOUR >= habit.learning
        had = sum(mark for _, mark in self.past)
        return learnt and len(self.past) >= habit.hours and 10 * had >= 9 * len(self.past)

    def _usual(self) -> dict[str, Any]:
        had = sum(mark for _, mark in self.past)
        return {
            "hour": rfc3339(self.hour * HOUR),
            "matches": self.count,
            "hours": len(self.past),
            "with": had,
        }
