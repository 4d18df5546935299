"""Slot: the state of one key of a keyed stage, and what was published of it.

Laws:
1. compact is the fold of all rows below the watermark; the tail holds the others, in order.
2. `ahead` is compact folded on over the tail (`correlators.ahead`).
3. What is published is the difference to what was published before. What is ahead is provisional;
   what compact says is final, or settled where it is still open.
4. A copy costs what is changed in it, not what it holds; `keep` makes the changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import groupby
from operator import attrgetter
from typing import Any

import msgspec
from msgspec.structs import replace

from correlators.ahead import Ahead
from correlators.draft import Draft, Tail
from correlators.logic import Emit, Logic, ResultKey, RowKey, State, row_key
from schemas.rows import Delete, Result, Row

_time = attrgetter("time")


class Slot:
    """`rows` are published and not yet settled, `results` published and not yet final.

    The tail is the unsettled part of the input: a driver that can read its input again need not
    save it. `changed`: compact or results are not what they were when it was kept.
    """

    __slots__ = ("_own", "ahead", "changed", "compact", "results", "rows", "tail")

    def __init__(
        self,
        compact: State,
        tail: Iterable[Row] = (),
        rows: Iterable[Row] = (),
        results: Iterable[Result] = (),
    ) -> None:
        self.compact = compact
        self.tail = Tail(tail)
        self.rows: Draft[RowKey, Row] = Draft({row_key(row): row for row in rows})
        self.results: dict[ResultKey, Result] = {(r.kind, r.id): r for r in results}
        self.ahead: Ahead | None = None
        self.changed = self._own = True

    def copy(self, logic: Logic) -> Slot:
        """A slot that can be changed; rows and results are immutable."""
        copy = Slot(self.compact)
        copy.tail, copy.rows = self.tail.draft(), self.rows.draft()
        copy.results = self.results  # replaced, never altered
        copy.ahead = None if self.ahead is None else self.ahead.copy(logic)
        copy.changed, copy._own = False, False
        return copy

    def keep(self) -> None:
        """Make the changes: what it was copied from is forgotten now."""
        self.tail.keep()
        self.rows.keep()
        self.changed = False

    def own(self, logic: Logic) -> State:
        """The compact state, to be changed."""
        if not self._own:
            self.compact, self._own, self.changed = logic.copy(self.compact), True, True
        return self.compact

    def due(self, key: str, logic: Logic) -> int:
        """The time from which on, once settled, there is work for this key."""
        deadline = logic.due(key, self.compact)
        return self.tail.first if deadline is None else min(self.tail.first, deadline)

    @property
    def settled(self) -> bool:
        """True if no row is unsettled, neither of those that came nor of those that were said."""
        return not (self.tail or self.rows)

    @property
    def quiet(self) -> bool:
        """True if it is settled, and nothing that was said is open."""
        return self.settled and not self.results

    def idle(self, logic: Logic) -> bool:
        """True if nothing would be lost by forgetting the key."""
        return self.quiet and logic.idle(self.compact)

    def put(self, row: Row, logic: Logic) -> None:
        """Add a row to the tail, or put it in the place of its older version."""
        self.tail[row.time, row.id] = row
        self._disturb(row.time, logic)

    def remove(self, time: int, id_: str, logic: Logic) -> None:
        """Take a row out of the tail; one that is not there was never settled here."""
        if self.tail.pop((time, id_), None) is not None:
            self._disturb(time, logic)

    def settle(self, watermark: int) -> list[Row]:
        """The rows below the watermark, in order; they leave the tail."""
        rows = self.tail.settle(watermark)
        if rows and self.ahead is not None:
            last = rows[-1].time
            if last > self.ahead.last:
                self.ahead = None  # it never saw a row that settles at once
            else:
                self.ahead.settle(last)
        return rows

    def run_ahead(self, logic: Logic, key: str, emit: Emit) -> None:
        """Fold `ahead` on over the rows of the tail that it has not seen."""
        if self.ahead is not None:
            self.ahead.go_on(logic, key, self.tail.since(self.ahead.last + 1), emit)

    def publish(
        self,
        settled: Mapping[RowKey, Row],
        early: Mapping[RowKey, Row],
        lost: Iterable[RowKey] | None,
    ) -> list[Row | Delete]:
        """The difference to the rows that were published.

        `early` are those of the tail that were said now; `lost` what is said no longer if it is not
        among them, None for all. Deletes first: an id that moved in time is never there twice.
        """
        known = self.rows
        if not (settled or early or known):
            return []
        lost = list(known) if lost is None else [k for k in lost if k in known]
        early = {k: row for k, row in early.items() if k not in settled}
        gone = [k for k in lost if k not in settled and k not in early]
        fresh = [row for k, row in (*settled.items(), *early.items()) if known.get(k) != row]
        for k in (*gone, *settled):
            known.pop(k, None)
        known.update({k: row for k, row in early.items() if known.get(k) != row})
        return [*(Delete(*k) for k in gone), *fresh]

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
        if not (final or open_ or known):
            return []
        if self.ahead is not None:
            self.ahead.finish(final)
        self.results = {
            k: replace(result, state="settled" if k in held else "provisional")
            for k, result in open_.items()
            if k not in final or final[k].body != result.body
        }
        gone = (r for k, r in known.items() if k not in final and k not in self.results)
        told = [
            *(replace(result, state="withdrawn") for result in gone),
            *(replace(result, state="final") for result in final.values()),
            *(r for k, r in self.results.items() if k in final or known.get(k) != r),
        ]
        self.changed = self.changed or bool(told)
        return told

    def dump(self, *, tail: bool, rows: bool = True) -> bytes:
        """The slot as bytes, with or without its tail, and the rows that it published."""
        kept = list(self.tail.values()) if tail else []
        published = list(self.rows.values()) if rows else []
        saved = (self.compact, kept, published, list(self.results.values()))
        return msgspec.msgpack.encode(saved)

    def saved(self, logic: Logic) -> bytes:
        """As `dump` without the tail; raises msgspec.DecodeError for what `load` could not read."""
        data = self.dump(tail=False)
        _decoder(logic.state_type).decode(data)
        return data

    @staticmethod
    def load(data: bytes, logic: Logic) -> Slot:
        """The slot that `dump` wrote. Raises msgspec.DecodeError where it is none of this logic."""
        return Slot(*_decoder(logic.state_type).decode(data))

    def _disturb(self, time: int, logic: Logic) -> None:
        if self.ahead is None or time > self.ahead.last:
            return
        if not self.ahead.go_back(time, logic):
            self.ahead = None


@cache  # making one costs more than most slots
def _decoder(state: type[State]) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(tuple[state, list[Row], list[Row], list[Result]])  # type: ignore[valid-type]


def fold(logic: Logic, key: str, state: State, rows: Sequence[Row], emit: Emit) -> None:
    """Fold rows, sorted by time and id, all of one time together, deadlines between them."""
    for time, together in groupby(rows, key=_time):
        logic.fire(key, state, time, emit)
        logic.apply(key, state, time, list(together), emit)
