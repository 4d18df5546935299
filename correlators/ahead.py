"""Ahead: the state of a key folded on over rows that are not settled, with ways back into it.

Laws:
1. `state` is compact folded on over the tail up to `last`. While rows come in order it is only
   continued: a row costs one fold here and one when it settles.
2. A row between the known ones goes back to the last mark before it, or else to compact: a row that
   comes a little out of order costs a fold of what lies a little behind it, not of all the tail.
3. Marks lie the denser the nearer they are to the end: there are about as many as the tail's length
   has binary digits.
4. What was said on the way lies in segments, one before each mark and one behind the last, so that
   going back forgets what was said behind the mark. Copies share all but the last, which is short.
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
    """What was said between two marks: keys of rows, and results; only the last is ever changed."""

    __slots__ = ("results", "rows")

    def __init__(
        self,
        rows: Mapping[RowKey, object] | None = None,
        results: Mapping[ResultKey, Result] | None = None,
    ) -> None:
        self.rows: dict[RowKey, None] = dict.fromkeys(rows or ())
        self.results = dict(results or {})


class Ahead:
    """Never saved: it is made again from compact and tail."""

    __slots__ = ("_count", "_lost", "_marks", "_segments", "last", "state")

    def __init__(self, state: State) -> None:
        self.state, self.last, self._count = state, BEGINNING, 0
        self._lost: dict[RowKey, None] | None = None
        self._marks: list[Mark] = []
        self._segments = [Segment()]

    def copy(self, logic: Logic) -> Ahead:
        """One that can be changed."""
        copy = Ahead(logic.copy(self.state))
        copy.last, copy._count = self.last, self._count
        copy._lost = None if self._lost is None else self._lost.copy()
        copy._marks = self._marks.copy()
        last = self._segments[-1]
        copy._segments = [*self._segments[:-1], Segment(last.rows, last.results)]
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
        """The keys of the rows that were said; some of the first may be settled by now."""
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
            if self._count - self._marked() >= SPAN:
                self._said(part, emit)
                self._mark(logic)
                part = Emit(ahead=True)
        self._said(part, emit)

    def go_back(self, time: int, logic: Logic) -> bool:
        """Forget what was folded from `time` on, and some more; False: no mark lies before."""
        lost: dict[RowKey, None] = {}
        while self._marks and self._marks[-1].last >= time:
            self._marks.pop()
            lost |= self._segments.pop().rows
        if not self._marks:
            return False
        mark = self._marks[-1]
        self.state, self.last, self._count = logic.copy(mark.state), mark.last, mark.rows
        lost |= self._segments[-1].rows
        self._segments[-1] = Segment()
        if self._lost is not None:
            self._lost |= lost
        return True

    def take_lost(self) -> list[RowKey] | None:
        """The keys of the rows that it said before it went back to a mark, since this was asked.

        None for whatever others said before it was made.
        """
        lost, self._lost = self._lost, {}
        if lost is None:
            return None
        return [k for k in lost if not any(k in segment.rows for segment in self._segments)]

    def settle(self, time: int) -> None:
        """The rows up to `time` are settled: nothing goes back behind it."""
        while self._marks and self._marks[0].last <= time:
            del self._marks[0]
            first = self._segments.pop(0)
            behind = self._segments[0]
            self._segments[0] = Segment(behind.rows, first.results | behind.results)

    def finish(self, final: Mapping[ResultKey, Result]) -> None:
        """What is final is no longer said by what is ahead, where that says the same."""
        if not final:
            return
        said = self.results
        done = {k: result.body for k, result in final.items() if k in said}
        same = {k for k, body in done.items() if said[k].body == body}
        for place, segment in enumerate(self._segments):
            found = done if place == 0 else same
            gone = {
                k
                for k in segment.results.keys() & found
                if k in same or segment.results[k].body == done[k]
            }
            if gone:
                kept = {k: r for k, r in segment.results.items() if k not in gone}
                self._segments[place] = Segment(segment.rows, kept)

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
        before = self._segments[place]
        self._segments[place] = Segment(before.rows | behind.rows, before.results | behind.results)
