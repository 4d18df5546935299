"""Slot: the state of one key of a keyed stage, and what was published of it.

Laws:
1. compact is the fold of all rows below the watermark; the tail holds the others, in order.
2. `ahead` is compact folded on over the tail (`correlators.ahead`).
3. What is published is the difference to what was published before. What is ahead is provisional;
   what compact says is final, or settled where it is still open.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import groupby
from operator import attrgetter

import msgspec
from msgspec.structs import replace

from correlators.ahead import Ahead
from correlators.logic import Emit, Logic, ResultKey, RowKey, State
from schemas.rows import Delete, Result, Row
from schemas.times import END

_time = attrgetter("time")

Place = tuple[int, str]  # time and id: a copy with another time is another row


class Slot:
    """`rows` are published and not yet settled, `results` published and not yet final.

    The tail is the unsettled part of the input: a driver that can read its input again need not
    save it.
    """

    __slots__ = ("ahead", "compact", "order", "results", "rows", "tail")

    def __init__(
        self,
        compact: State,
        tail: Iterable[Row] = (),
        rows: Iterable[Row] = (),
        results: Iterable[Result] = (),
    ) -> None:
        self.compact = compact
        self.tail: dict[Place, Row] = {(row.time, row.id): row for row in tail}
        self.order: list[Place] = sorted(self.tail)
        self.rows: dict[RowKey, Row] = {
            (row.topic, row.level, row.key, row.time, row.id): row for row in rows
        }
        self.results: dict[ResultKey, Result] = {(r.kind, r.id): r for r in results}
        self.ahead: Ahead | None = None

    def copy(self, logic: Logic) -> Slot:
        """A slot that can be changed; rows and results are immutable."""
        copy = Slot(logic.copy(self.compact))
        copy.tail, copy.order = self.tail.copy(), self.order.copy()
        copy.rows, copy.results = self.rows.copy(), self.results.copy()
        if self.ahead is not None and logic.resumable:
            copy.ahead = self.ahead.copy(logic)
        return copy

    def due(self, key: str, logic: Logic) -> int:
        """The time from which on, once settled, there is work for this key."""
        first = self.order[0][0] if self.order else END
        deadline = logic.due(key, self.compact)
        return first if deadline is None else min(first, deadline)

    def idle(self, logic: Logic) -> bool:
        """True if nothing would be lost by forgetting the key."""
        return not (self.tail or self.rows or self.results) and logic.idle(self.compact)

    def put(self, row: Row, logic: Logic) -> None:
        """Add a row to the tail, or put it in the place of its older version."""
        place = (row.time, row.id)
        if place not in self.tail:
            insort(self.order, place)
        self.tail[place] = row
        self._disturb(row.time, logic)

    def remove(self, time: int, id_: str, logic: Logic) -> None:
        """Take a row out of the tail; one that is not there was never settled here."""
        if self.tail.pop((time, id_), None) is not None:
            del self.order[bisect_left(self.order, (time, id_))]
            self._disturb(time, logic)

    def settle(self, watermark: int) -> list[Row]:
        """The rows below the watermark, in order; they leave the tail."""
        cut = bisect_left(self.order, (watermark, ""))
        if cut and self.ahead is not None:
            last = self.order[cut - 1][0]
            if last > self.ahead.last:
                self.ahead = None  # it never saw a row that settles at once
            else:
                self.ahead.settle(last)
        rows = [self.tail.pop(place) for place in self.order[:cut]]
        del self.order[:cut]
        return rows

    def run_ahead(self, logic: Logic, key: str, emit: Emit) -> None:
        """Fold `ahead` on over the rows of the tail that it has not seen."""
        if self.ahead is None or not self.order:
            return
        start = bisect_left(self.order, (self.ahead.last + 1, ""))
        self.ahead.go_on(logic, key, [self.tail[p] for p in self.order[start:]], emit)

    def kept(self, settled: Container[RowKey]) -> dict[RowKey, Row]:
        """The rows published before that what is ahead still says; not those that settle now."""
        said = () if self.ahead is None else self.ahead.rows
        return {k: self.rows[k] for k in said if k in self.rows and k not in settled}

    def publish(
        self, settled: Mapping[RowKey, Row], early: Mapping[RowKey, Row], *, whole: bool
    ) -> list[Row | Delete]:
        """The difference to the rows that were published.

        `early` are those of the tail, all of them where it was folded `whole`, else the new ones.
        Deletes first: an id that moved in time is never there twice.
        """
        known = self.rows
        gone = [Delete(*k) for k in known if k not in settled and k not in early] if whole else []
        fresh = [row for k, row in (*settled.items(), *early.items()) if known.get(k) != row]
        if whole:
            self.rows = dict(early)
        else:
            for k in settled:
                known.pop(k, None)
            known |= early
        return [*gone, *fresh]

    def tell(
        self,
        final: Mapping[ResultKey, Result],
        open_: Mapping[ResultKey, Result],
        held: Mapping[ResultKey, Result],
    ) -> list[Result]:
        """The difference to the results that were told.

        `final` cannot change any more; of `open_`, what compact itself `held` cannot be withdrawn.
        A thing of which more is known ahead (an asset, an edge) is told as final and then again.
        """
        known = self.results
        if self.ahead is not None:
            self.ahead.finish(final)
        self.results = {
            k: replace(result, state="settled" if k in held else "provisional")
            for k, result in open_.items()
            if k not in final or final[k].body != result.body
        }
        gone = (r for k, r in known.items() if k not in final and k not in self.results)
        return [
            *(replace(result, state="withdrawn") for result in gone),
            *(replace(result, state="final") for result in final.values()),
            *(r for k, r in self.results.items() if k in final or known.get(k) != r),
        ]

    def dump(self, *, tail: bool) -> bytes:
        """The slot as bytes, with or without its tail."""
        kept = list(self.tail.values()) if tail else []
        saved = (self.compact, kept, list(self.rows.values()), list(self.results.values()))
        return msgspec.msgpack.encode(saved)

    @staticmethod
    def load(data: bytes, logic: Logic) -> Slot:
        """The slot that `dump` wrote."""
        kind = tuple[logic.state_type, list[Row], list[Row], list[Result]]  # type: ignore[name-defined]
        return Slot(*msgspec.msgpack.decode(data, type=kind))

    def _disturb(self, time: int, logic: Logic) -> None:
        if self.ahead is None or time > self.ahead.last:
            return
        if not self.ahead.go_back(time, logic):
            self.ahead = None


def fold(logic: Logic, key: str, state: State, rows: Sequence[Row], emit: Emit) -> None:
    """Fold rows, sorted by time and id, all of one time together, deadlines between them."""
    for time, together in groupby(rows, key=_time):
        logic.fire(key, state, time, emit)
        logic.apply(key, state, time, list(together), emit)
