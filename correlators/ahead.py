"""Ahead: the state of a key folded on over rows that are not settled, with ways back into it.

Laws:
1. `state` is compact folded on over the tail up to `last`. While rows come in order it is only
   continued: a row costs one fold here and one when it settles.
2. A row between the known ones goes back to the last mark before it, or else to compact: a row that
   comes a little out of order costs a fold of what lies a little behind it, not of all the tail.
3. Marks lie the denser the nearer they are to the end: there are about as many as the tail's length
   has binary digits.
4. What was said on the way lies in segments, one before each mark and one behind the last, so that
   going back forgets what was said behind the mark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from correlators.logic import Emit, Logic, ResultKey, RowKey, State
from schemas.rows import Result, Row
from schemas.times import BEGINNING

_time = attrgetter("time")

SPAN = 64  # rows between two marks, at least: a copy of a state costs some folds


class Mark(NamedTuple):
    """The state behind so many rows, up to the time `last`; it is never changed."""

    last: int
    rows: int
    state: State


class Segment:
    """What was said between two marks: keys of rows, and results."""

    __slots__ = ("results", "rows")

    def __init__(
        self,
        rows: Mapping[RowKey, object] | None = None,
        results: Mapping[ResultKey, Result] | None = None,
    ) -> None:
        self.rows: dict[RowKey, None] = dict.fromkeys(rows or ())
        self.results = dict(results or {})

    def say(self, other: Segment) -> None:
        """Add what was said behind it."""
        self.rows |= other.rows
        self.results |= other.results


class Ahead:
    """Never saved: it is made again from compact and tail.

    `torn`: it is new, or went back to a mark, and what it says has not been published since.
    """

    __slots__ = ("_count", "_marks", "_segments", "last", "state", "torn")

    def __init__(self, state: State) -> None:
        self.state, self.last, self.torn = state, BEGINNING, True
        self._count = 0
        self._marks: list[Mark] = []
        self._segments = [Segment()]

    def copy(self, logic: Logic) -> Ahead:
        """One that can be changed."""
        copy = Ahead(logic.copy(self.state))
        copy.last, copy.torn, copy._count = self.last, self.torn, self._count
        copy._marks = self._marks.copy()
        copy._segments = [Segment(one.rows, one.results) for one in self._segments]
        return copy

    @property
    def results(self) -> dict[ResultKey, Result]:
        """What was said of each, newest by id."""
        found: dict[ResultKey, Result] = {}
        for segment in self._segments:
            found |= segment.results
        return found

    @property
    def rows(self) -> dict[RowKey, None]:
        """The keys of the rows that were said; some may be settled by now."""
        found: dict[RowKey, None] = {}
        for segment in self._segments:
            found |= segment.rows
        return found

    def go_on(self, logic: Logic, key: str, rows: Sequence[Row], emit: Emit) -> None:
        """Fold rows behind `last`, sorted."""
        state, part = self.state, Emit(ahead=True)
        for time, together in groupby(rows, key=_time):
            found = list(together)
            logic.fire(key, state, time, part)
            logic.apply(key, state, time, found, part)
            self.last = time
            self._count += len(found)
            if logic.resumable and self._count - self._marked() >= SPAN:
                self._said(part, emit)
                self._mark(logic)
                part = Emit(ahead=True)
        self._said(part, emit)

    def go_back(self, time: int, logic: Logic) -> bool:
        """Forget what was folded from `time` on, and some more; False: no mark lies before."""
        while self._marks and self._marks[-1].last >= time:
            self._marks.pop()
            self._segments.pop()
        if not self._marks:
            return False
        mark = self._marks[-1]
        self.state, self.last, self._count = logic.copy(mark.state), mark.last, mark.rows
        self._segments[-1] = Segment()
        self.torn = True
        return True

    def settle(self, time: int) -> None:
        """The rows up to `time` are settled: nothing goes back behind it."""
        while self._marks and self._marks[0].last <= time:
            self._merge(0)

    def finish(self, final: Mapping[ResultKey, Result]) -> None:
        """What is final is no longer said by what is ahead, where that says the same."""
        if not final:
            return
        said = self.results
        for k, result in final.items():
            if (seen := said.get(k)) is None:
                continue
            same = seen.body == result.body
            for segment in self._segments if same else self._segments[:1]:
                if (one := segment.results.get(k)) is not None and (
                    same or one.body == result.body
                ):
                    del segment.results[k]

    def _said(self, part: Emit, emit: Emit) -> None:
        self._segments[-1].rows |= dict.fromkeys(part.rows)
        self._segments[-1].results |= part.results
        emit.rows |= part.rows

    def _marked(self) -> int:
        return self._marks[-1].rows if self._marks else 0

    def _mark(self, logic: Logic) -> None:
        self._marks.append(Mark(self.last, self._count, logic.copy(self.state)))
        self._segments.append(Segment())
        place = len(self._marks) - 2
        while place > 0:
            older, newer = self._marks[place - 1], self._marks[place + 1]
            if self._count - older.rows <= 2 * max(SPAN, self._count - newer.rows):
                self._merge(place)
            place -= 1

    def _merge(self, place: int) -> None:
        """Without this mark."""
        del self._marks[place]
        behind = self._segments.pop(place + 1)
        self._segments[place].say(behind)
