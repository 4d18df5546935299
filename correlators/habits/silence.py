"""Silence: a group says nothing in hours in which it always spoke.

Laws:
1. An hour of the week is one in which the group speaks if it did so in all of the last weeks that
   are remembered but one, and in two at least. So nights and weekends are no silence, and neither
   is what was loud once.
2. Silence is known at the end of the last of `hours` such hours behind the last word; hours in
   which the group does not speak anyway are passed over.
3. It is said once, by the last word, at that time. It ends when the group speaks again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from correlators.habits import hours
from correlators.habits.departure import Departure
from correlators.habits.hours import WEEK, Past
from schemas.habit import Silence
from schemas.rows import Row
from schemas.times import BEGINNING, HOUR, rfc3339

AHEAD: Final = 2 * WEEK  # hours behind the last word that are looked at
WEEKS: Final = 2

_NEVER: Final = BEGINNING


class Words(msgspec.Struct, array_like=True, tag="silence"):
    """The last word and the hours of all; `end`: the hour at whose end silence is known, if any."""

    first: int = _NEVER
    hour: int = _NEVER
    time: int = 0
    last: Row | None = None
    end: int | None = None
    past: Past = ()

    def apply(self, habit: Silence, time: int, rows: Sequence[Row], /) -> Iterator[Departure]:
        """Words end a silence, and say when the next one is known."""
        hour = hours.of(time)
        if self.hour == _NEVER:
            self.first = hour
        if hour != self.hour:
            self.past = hours.kept((*self.past, (hour, 1)), hour - habit.memory // HOUR)
            self.hour = hour
            first = max(self.first, hour - habit.memory // HOUR)
            self.end = known_at(habit, self.past, first, hour)
        self.time, self.last = time, rows[-1]
        yield from ()

    def fire(self, habit: Silence, until: int, /) -> Iterator[Departure]:
        """Silence is known, and much later the group is forgotten."""
        known = self._known()
        if self.last is not None and known is not None and known < until:
            usual = {"last": rfc3339(self.time), "hours": habit.hours}
            self.end = None
            yield Departure(known + 1, self.last, usual)
        if self.hour != _NEVER and self._forgotten(habit) < until:
            self.first = self.hour = _NEVER
            self.time, self.last, self.end, self.past = 0, None, None, ()

    def due(self, habit: Silence, /) -> int | None:
        """When silence is known, else when all is forgotten."""
        if self.hour == _NEVER:
            return None
        known, forgotten = self._known(), self._forgotten(habit)
        return forgotten if known is None else min(known, forgotten)

    def copy(self) -> Words:
        """A copy that can be changed: the past is replaced, never altered."""
        return msgspec.structs.replace(self)

    @property
    def idle(self) -> bool:
        """True if nothing is known of the group."""
        return self.hour == _NEVER

    def _known(self) -> int | None:
        return None if self.end is None else (self.end + 1) * HOUR - 1

    def _forgotten(self, habit: Silence) -> int:
        return (self.hour + 1) * HOUR + habit.memory


def known_at(habit: Silence, past: Past, first: int, hour: int) -> int | None:
    """The hour at whose end silence is known if nothing is said behind `hour`."""
    if (hour - first) * HOUR < habit.learning:
        return None
    spoken = {one for one, _ in past}
    missed = 0
    for later in range(hour + 1, hour + 1 + AHEAD):
        # The hours behind the last word, which nobody has heard yet, are no weeks of silence.
        weeks = [one for one in range(later - WEEK, first - 1, -WEEK) if one <= hour]
        heard = sum(one in spoken for one in weeks)
        if len(weeks) >= WEEKS and heard >= max(WEEKS, len(weeks) - 1):
            missed += 1
            if missed == habit.hours:
                return later
    return None
