"""First seen: a value that is new to a group which has been known for a while.

Laws:
1. A value is known from its first sight until `memory` has passed since its last, that moment
   included. A group of which nothing was seen for `memory` begins anew.
2. Of the sights of one time the first in order of id speaks.
3. `most` values are remembered. For one more the one seen longest ago goes, and the group says
   nothing until `memory` has passed: from then on what went would be forgotten anyway, so the
   answer is again that of an unbounded memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from correlators.habits.departure import Departure
from schemas.habit import FirstSeen
from schemas.rows import Row
from schemas.times import BEGINNING, rfc3339


class Seen(msgspec.Struct, array_like=True, tag="first_seen"):
    """The last sight of each value, in order of it; `crowded`: one had to go then."""

    since: int = BEGINNING
    latest: int = BEGINNING
    crowded: int = BEGINNING
    values: dict[str, int] = {}

    def apply(self, habit: FirstSeen, time: int, rows: Sequence[Row], /) -> Iterator[Departure]:
        """New values, once the group is known."""
        if self.since == BEGINNING:
            self.since = time
        values = self.values
        for row in rows:
            value = row.body["value"]
            last = values.pop(value, None)
            if last is None or last + habit.memory < time:
                if self._speaks(habit, time):
                    yield Departure(time, row, self._usual())
                if len(values) >= habit.most:
                    self._make_room(habit, time)
            values[value] = time
        self.latest = time

    def fire(self, habit: FirstSeen, until: int, /) -> Iterator[Departure]:
        """Forget a group of which nothing was seen."""
        if self.since != BEGINNING and self.latest + habit.memory < until:
            self.since = self.latest = self.crowded = BEGINNING
            self.values = {}
        yield from ()

    def due(self, habit: FirstSeen, /) -> int | None:
        """When all is forgotten."""
        return None if self.since == BEGINNING else self.latest + habit.memory

    def copy(self) -> Seen:
        """A copy that can be changed."""
        return Seen(self.since, self.latest, self.crowded, self.values.copy())

    @property
    def idle(self) -> bool:
        """True if nothing is known of the group."""
        return self.since == BEGINNING

    def _speaks(self, habit: FirstSeen, time: int) -> bool:
        learnt = time >= self.since + habit.learning
        return learnt and (self.crowded == BEGINNING or time > self.crowded + habit.memory)

    def _usual(self) -> dict[str, Any]:
        return {"since": rfc3339(self.since), "values": len(self.values)}

    def _make_room(self, habit: FirstSeen, time: int) -> None:
        oldest = next(iter(self.values))
        if self.values.pop(oldest) + habit.memory >= time:
            self.crowded = time
