"""Missing: more matches in a row without a mark than a group has ever had.

Laws:
1. A run is the number of matches since the last marked one. Of one time the marked ones come first.
2. What is usual is the longest run that ended in the memory. A run that passes both `least` and
   `times` the usual is a departure; it is said once, by the match that passes.
3. A group has the habit once it is known for `learning`, and marked matches came in `hours`
   different hours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from correlators.habits import hours
from correlators.habits.departure import Departure
from correlators.habits.hours import Past
from schemas.habit import Missing
from schemas.rows import Row
from schemas.times import BEGINNING, HOUR

_NEVER: Final = BEGINNING


class Runs(msgspec.Struct, array_like=True, tag="missing"):
    """The present run, the longest that ended in this hour (None: no mark), and those of the past.

    `said`: the present run is a departure. `most`: the longest of the past.
    """

    first: int = _NEVER
    hour: int = _NEVER
    run: int = 0
    said: bool = False
    longest: int | None = None
    most: int = 0
    past: Past = ()

    def apply(self, habit: Missing, time: int, rows: Sequence[Row], /) -> Iterator[Departure]:
        """The match with which a run becomes too long."""
        hour = hours.of(time)
        if hour != self.hour:
            self._begin(habit, hour)
        if any(row.body["marked"] for row in rows):
            self.longest = max(self.longest or 0, self.run)
            self.run, self.said = 0, False
        usual = max(self.most, self.longest or 0)
        for row in rows:
            if row.body["marked"]:
                continue
            self.run += 1
            if self.run > max(habit.least, habit.times * usual) and self._speaks(habit):
                self.said = True
                known = len(self.past)
                yield Departure(time, row, {"run": self.run, "usual": usual, "hours": known})

    def fire(self, habit: Missing, until: int, /) -> Iterator[Departure]:
        """Forget a group of which nothing is remembered."""
        due = self.due(habit)
        if due is not None and due < until:
            self.first = self.hour = _NEVER
            self.run, self.said, self.longest, self.most, self.past = 0, False, None, 0, ()
        yield from ()

    def due(self, habit: Missing, /) -> int | None:
        """When all is forgotten."""
        return None if self.hour == _NEVER else (self.hour + 1) * HOUR + habit.memory

    def copy(self) -> Runs:
        """A copy that can be changed: the past is replaced, never altered."""
        return msgspec.structs.replace(self)

    @property
    def idle(self) -> bool:
        """True if nothing is known of the group."""
        return self.hour == _NEVER

    def _begin(self, habit: Missing, hour: int) -> None:
        if self.hour == _NEVER:
            self.first = hour
        if self.longest is not None:
            self.past = (*self.past, (self.hour, self.longest))
        self.past = hours.kept(self.past, hour - habit.memory // HOUR)
        self.hour, self.longest = hour, None
        self.most = max((run for _, run in self.past), default=0)

    def _speaks(self, habit: Missing) -> bool:
        learnt = (self.hour - self.first) * HOUR >= habit.learning
        return learnt and not self.said and len(self.past) >= habit.hours
