"""Keyed: the one algorithm of every stage behind ingest, a fold per key over settled time.

Laws (DESIGN 5):
1. A stage's watermark is the minimum over *all* inputs declared at start, minus infinity until
   heard; none is left out.
2. Per key: compact = fold of the rows below the watermark in order of (time, id), all rows of one
   time together; tail = rows at or above it, by id. What compact says is final; what the tail,
   folded on a copy, says is provisional.
3. Deadlines fire inside the fold: before rows of time t those due before t; at the end those due
   before min(watermark, clock). A row at exactly the deadline is in time.
4. A row behind the watermark is a bug upstream and raises: lateness is judged once, at ingest.
5. Of copies that differ the one with the smallest normal form (bytes) wins, not the first.
6. `step` changes nothing: it returns changes and outputs, and the driver calls `apply` once they
   are saved.
7. A partition is bounded where its logic says so: of too many keys those are forgotten that are
   nearest to be, of which nothing is unsettled or open. That is counted: results may lack hits.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from correlators.ahead import Ahead
from correlators.logic import Emit, Logic
from correlators.slot import Slot, fold
from correlators.slots import Slots
from schemas.canonical import canonical
from schemas.rows import Delete, Output, Result, Row, Tick
from schemas.times import BEGINNING, END

SPARE = 64  # of a full partition one part in so many is forgotten at a time, not key by key
STALE = 1_000  # deadlines that have moved, kept beside as many as hold
# Rows that ingest makes can arrive several times with different bodies: the same event by two
# deliveries. Rows of keyed stages are upserts of the one partition that owns the key: there the
# newest is right.
COPIED = frozenset(
    {"hit", "signal", "observation", "asset", "fact", "edge", "scan", "has", "offers"}
)


class Clock(msgspec.Struct, array_like=True, frozen=True):
    """What a partition heard of its inputs, and its own place in time."""

    ticks: dict[str, Tick]
    watermark: int = BEGINNING
    clock: int = BEGINNING


class Changes(NamedTuple):
    """What a step would change: the clock, and slots by key (None = forgotten).

    `crowded_out`: how many of these had to go for lack of room.
    """

    clock: Clock
    slots: Mapping[str, Slot | None]
    crowded_out: int = 0


class Keyed:
    """One partition of one keyed stage.

    `me` names this partition in its Ticks, which the driver copies to every partition of the next
    topics; `inputs` are all upstream partitions that can feed it.
    """

    def __init__(self, logic: Logic, me: str, level: int, inputs: Iterable[str]) -> None:
        """An empty partition that has heard of no input yet."""
        self.logic, self.me, self.level = logic, me, level
        self.clock = Clock({name: Tick(name, level, BEGINNING, BEGINNING) for name in inputs})
        self.slots = Slots(logic)
        self.crowded_out = 0  # keys since it was made
        self._due: dict[str, int] = {}
        self._queue: list[tuple[int, str]] = []

    def step(self, batch: Iterable[Row | Delete | Tick]) -> tuple[Changes, list[Output]]:
        """Take a batch in the order of its inputs.

        Returns what changes and what to send: rows, then results, then the Tick. Nothing is changed
        yet.
        """
        ticks, slots = dict(self.clock.ticks), dict[str, Slot]()
        for record in batch:
            if type(record) is Tick:
                if record.input not in ticks:
                    raise AssertionError(f"{self.me}: Tick of the undeclared {record.input}")
                ticks[record.input] = record
                continue
            slot = slots.get(record.key)
            if slot is None:
                slot = slots[record.key] = self.slots.draft(record.key)
            self._take(slot, record)
        now = self._now(ticks)
        if now.watermark > self.clock.watermark:
            for key in self._ripe(now.watermark):
                if key not in slots:
                    slots[key] = self.slots.draft(key)
        outputs: list[Output] = []
        results: list[Result] = []
        changed: dict[str, Slot | None] = {}
        for key in sorted(slots):
            rows, said = self._settle(key, slots[key], now)
            outputs += rows
            results += said
            changed[key] = None if slots[key].idle(self.logic) else slots[key]
        outputs += self.logic.complete(results)
        if now.watermark > self.clock.watermark:
            outputs.append(Tick(self.me, self.level, now.watermark, now.clock))
        gone = self._crowded_out(changed)
        changed |= dict.fromkeys(gone)
        return Changes(now, changed, len(gone)), outputs

    def apply(self, changes: Changes) -> None:
        """Take over the changes of a step; call it once they are saved."""
        self.clock = changes.clock
        self.crowded_out += changes.crowded_out
        for key, slot in changes.slots.items():
            if slot is None:
                self.slots.pop(key, None)
                self._due.pop(key, None)
                continue
            slot.keep()
            self.slots[key] = slot
            due = slot.due(key, self.logic)
            if due < END and self._due.get(key) != due:
                self._due[key] = due
                heapq.heappush(self._queue, (due, key))
            elif due >= END:
                self._due.pop(key, None)
        while self._queue and self._due.get(self._queue[0][1]) != self._queue[0][0]:
            heapq.heappop(self._queue)
        # The deadline of an open episode moves with each step, and may lie days ahead.
        if len(self._queue) > 2 * len(self._due) + STALE:
            self._queue = [(due, key) for key, due in self._due.items()]
            heapq.heapify(self._queue)

    def restore(self, clock: Clock, slots: Mapping[str, Slot]) -> None:
        """Continue from a saved state.

        Inputs that are new since then are waited for from the beginning.
        """
        known = {name: clock.ticks.get(name, tick) for name, tick in self.clock.ticks.items()}
        self.apply(Changes(Clock(known, clock.watermark, clock.clock), slots))

    def recall(self, rows: Iterable[Row | Delete]) -> None:
        """Put unsettled rows back into the tails, in the order of their inputs, without output.

        For a driver that saves no tails: at a start it reads again what it had taken. What lies
        behind the watermark is settled and passed over.
        """
        slots: dict[str, Slot] = {}
        for row in rows:
            if row.time >= self.clock.watermark:
                slot = slots.get(row.key)
                if slot is None:
                    slot = slots[row.key] = self.slots.draft(row.key)
                self._take(slot, row)
        kept = {key: None if slot.idle(self.logic) else slot for key, slot in slots.items()}
        self.apply(Changes(self.clock, kept))

    def _crowded_out(self, changed: Mapping[str, Slot | None]) -> list[str]:
        """The quiet keys that must go so that the others have room."""
        most = self.logic.most
        if most is None or len(self.slots) + len(changed) <= most:
            return []
        fresh = sum(slot is not None and key not in self.slots for key, slot in changed.items())
        gone = sum(slot is None and key in self.slots for key, slot in changed.items())
        over = len(self.slots) + fresh - gone - most
        if over <= 0:
            return []
        quiet = (
            (due, key)
            for key, due in self._due.items()
            if key not in changed and self.slots.quiet(key)
        )
        return [key for _, key in heapq.nsmallest(over + most // SPARE, quiet)]

    def _now(self, ticks: dict[str, Tick]) -> Clock:
        heard = min((tick.watermark for tick in ticks.values()), default=END)
        watermark = max(self.clock.watermark, heard)
        ended = watermark == END and ticks  # then the clock, T, is behind the watermark
        clock = max(tick.clock for tick in ticks.values()) if ended else watermark
        return Clock(ticks, watermark, clock)

    def _take(self, slot: Slot, record: Row | Delete) -> None:
        if record.time < self.clock.watermark:
            raise AssertionError(
                f"{self.me}: row behind the watermark {self.clock.watermark}: {record}"
            )
        if type(record) is Delete:
            slot.remove(record.time, record.id, self.logic)
            return
        known = slot.tail.get((record.time, record.id))
        if (
            known is not None
            and record.kind in COPIED
            and canonical(known.body) <= canonical(record.body)
        ):
            return
        slot.put(record, self.logic)

    def _ripe(self, watermark: int) -> Iterator[str]:
        """Keys with work below the watermark.

        Walks the heap without popping: a step may be thrown away.
        """
        if watermark == END:
            yield from self.slots
            return
        todo = [0]
        while todo:
            place = todo.pop()
            if place < len(self._queue) and self._queue[place][0] < watermark:
                due, key = self._queue[place]
                if self._due.get(key) == due:
                    yield key
                todo += (2 * place + 1, 2 * place + 2)

    def _settle(self, key: str, slot: Slot, now: Clock) -> tuple[list[Row | Delete], list[Result]]:
        """Fold what is settled now into the slot, the rest ahead of it; what to say that is new."""
        logic, settled, held, early = self.logic, Emit(), Emit(), Emit(ahead=True)
        rows, until = slot.settle(now.watermark), min(now.watermark, now.clock)
        deadline = logic.due(key, slot.compact)
        if rows or (deadline is not None and deadline < until):
            fold(logic, key, slot.own(logic), rows, settled)
            logic.fire(key, slot.compact, until, settled)
        logic.report(key, slot.compact, held)
        if now.watermark == END:
            slot.ahead = None
            return slot.publish(settled.rows, {}, None), slot.tell(
                settled.results | held.results, {}, {}
            )
        lost = None
        if not slot.tail or not logic.provisional(key):
            slot.ahead = None
        else:
            if slot.ahead is None or settled.unforeseen:
                slot.ahead = Ahead(logic.copy(slot.compact))
            slot.run_ahead(logic, key, early)
            lost = slot.ahead.take_lost()
        open_ = dict(held.results)
        if slot.ahead is not None:
            report = Emit(ahead=True)
            logic.report(key, slot.ahead.state, report)
            open_ |= slot.ahead.results | report.results
        return (
            slot.publish(settled.rows, early.rows, lost),
            slot.tell(settled.results, open_, held.results),
        )
