"""Keyed: the one algorithm of every stage behind ingest, a fold per key over settled time.

Laws (DESIGN 5):
1. A stage's watermark is the minimum over *all* inputs declared at start, minus infinity until heard; none is left out.
2. Per key: compact = fold of the rows below the watermark in order of (time, id), all rows of one time together;
   tail = rows at or above it, by id. What compact says is final; what the tail, folded on a copy, says is provisional.
3. Deadlines fire inside the fold: before rows of time t those due before t; at the end those due before
   min(watermark, clock). A row at exactly the deadline is in time.
4. A row behind the watermark is a bug upstream and raises: lateness is judged once, at ingest.
5. Of copies that differ the one with the smallest normal form (bytes) wins, not the first.
6. `step` changes nothing: it returns changes and outputs, and the driver calls `apply` once they are saved.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple, Protocol

import msgspec

from schemas.canonical import canonical
from schemas.rows import Delete, Output, Result, ResultKind, Row, Tick
from schemas.times import BEGINNING, END

# Rows that ingest makes can arrive several times with different bodies: the same event by two deliveries. Rows of keyed
# stages are upserts of the one partition that owns the key: there the newest is right.
COPIED = frozenset({"hit", "signal", "fact", "edge", "scan"})

RowKey = tuple[str, int, str, int, str]  # topic, level, key, time, id
State = Any  # a msgspec struct of the stage's own; only its Logic looks inside


class Emit:
    """Collects what a fold says: rows for the next stages, and results for sinks, newest by id."""

    __slots__ = ("results", "rows")

    def __init__(self) -> None:
        """Start with nothing said."""
        self.rows: dict[RowKey, Row] = {}
        self.results: dict[tuple[str, str], Result] = {}

    def row(self, row: Row) -> None:
        """Say a row."""
        self.rows[row.topic, row.level, row.key, row.time, row.id] = row

    def result(self, kind: ResultKind, id_: str, time: int, body: dict[str, Any]) -> None:
        """Say a result; its state is decided by the part of the fold that it came from."""
        self.results[kind, id_] = Result(kind, id_, time, "provisional", body)


class Logic(Protocol):
    """What one kind of stage folds. State is a plain value; a Logic holds rules and never changes."""

    name: str
    state_type: Any

    def empty(self, key: str) -> State:
        """The state of a key about which nothing was said."""

    def copy(self, state: State) -> State:
        """A copy that can be changed."""

    def fire(self, key: str, state: State, until: int, ahead: bool, emit: Emit) -> None:
        """Run the deadlines before `until`. `ahead`: this is the provisional pass, what more rows could undo stays unsaid."""

    def apply(self, key: str, state: State, time: int, rows: Sequence[Row], emit: Emit) -> None:
        """Fold all rows of one time, sorted by id."""

    def report(self, key: str, state: State, emit: Emit) -> None:
        """Say what is open now. Does not change the state."""

    def due(self, key: str, state: State) -> int | None:
        """The earliest deadline."""

    def idle(self, state: State) -> bool:
        """True if the state can be forgotten."""

    def provisional(self, key: str) -> bool:
        """False where more rows can undo the condition: then nothing is said before it is settled."""

    def complete(self, results: list[Result]) -> list[Result]:
        """Finish the bodies of a whole batch at once (scores); a pure function of each body."""


class Slot:
    """The state of one key. `rows` and `results` are what was published and is not yet settled, or not yet final.

    The tail is the unsettled part of the input: a driver that can read its input again need not save it.
    """

    __slots__ = ("compact", "results", "rows", "tail")

    def __init__(
        self,
        compact: State,
        tail: Iterable[Row] = (),
        rows: Sequence[Row] = (),
        results: Sequence[Result] = (),
    ) -> None:
        """Rows of the tail are known by time and id: a copy with another time is another row."""
        self.compact = compact
        self.tail = {(row.time, row.id): row for row in tail}
        self.rows, self.results = rows, results

    def due(self, key: str, logic: Logic) -> int:
        """The time from which on, once settled, there is work for this key."""
        first = min((time for time, _ in self.tail), default=END)
        deadline = logic.due(key, self.compact)
        return first if deadline is None else min(first, deadline)

    def idle(self, logic: Logic) -> bool:
        """True if nothing would be lost by forgetting the key."""
        return not (self.tail or self.rows or self.results) and logic.idle(self.compact)

    def dump(self, tail: bool) -> bytes:
        """The slot as bytes, with or without its tail."""
        saved = (self.compact, list(self.tail.values()) if tail else [], self.rows, self.results)
        return msgspec.msgpack.encode(saved)

    @staticmethod
    def load(data: bytes, logic: Logic) -> Slot:
        """The slot that `dump` wrote."""
        kind = tuple[logic.state_type, list[Row], list[Row], list[Result]]  # type: ignore[name-defined]
        return Slot(*msgspec.msgpack.decode(data, type=kind))


class Clock(msgspec.Struct, array_like=True, frozen=True):
    """What a partition heard of its inputs, and its own place in time."""

    ticks: dict[str, Tick]
    watermark: int = BEGINNING
    clock: int = BEGINNING


class Changes(NamedTuple):
    """What a step would change: the clock, and slots by key (None = forgotten)."""

    clock: Clock
    slots: Mapping[str, Slot | None]


class Keyed:
    """One partition of one keyed stage.

    `me` names this partition in its Ticks, which the driver copies to every partition of the next topics;
    `inputs` are all upstream partitions that can feed it.
    """

    def __init__(self, logic: Logic, me: str, level: int, inputs: Iterable[str]) -> None:
        """An empty partition that has heard of no input yet."""
        self.logic, self.me, self.level = logic, me, level
        self.clock = Clock({name: Tick(name, level, BEGINNING, BEGINNING) for name in inputs})
        self.slots: dict[str, Slot] = {}
        self._due: dict[str, int] = {}
        self._queue: list[tuple[int, str]] = []

    def step(self, batch: Iterable[Row | Delete | Tick]) -> tuple[Changes, list[Output]]:
        """Take a batch in the order of its inputs. Returns what changes and what to send; nothing is changed yet."""
        ticks, slots = dict(self.clock.ticks), dict[str, Slot]()
        for record in batch:
            if isinstance(record, Tick):
                if record.input not in ticks:
                    raise AssertionError(
                        f"{self.me}: Tick of {record.input}, which was not declared"
                    )
                ticks[record.input] = record
                continue
            slot = slots.get(record.key)
            if slot is None:
                slot = slots[record.key] = self._open(record.key)
            self._take(slot, record)
        watermark = max(
            self.clock.watermark, min((t.watermark for t in ticks.values()), default=END)
        )
        clock = max(t.clock for t in ticks.values()) if watermark == END and ticks else watermark
        if watermark > self.clock.watermark:
            for key in self._ripe(watermark):
                if key not in slots:
                    slots[key] = self._open(key)
        outputs: list[Output] = []
        changed: dict[str, Slot | None] = {}
        for key in sorted(slots):
            outputs += self._settle(key, slots[key], watermark, clock)
            changed[key] = None if slots[key].idle(self.logic) else slots[key]
        results = self.logic.complete([o for o in outputs if isinstance(o, Result)])
        outputs = [o for o in outputs if not isinstance(o, Result)] + results
        if watermark > self.clock.watermark:
            outputs.append(Tick(self.me, self.level, watermark, clock))
        return Changes(Clock(ticks, watermark, clock), changed), outputs

    def apply(self, changes: Changes) -> None:
        """Take over the changes of a step; call it once they are saved."""
        self.clock = changes.clock
        for key, slot in changes.slots.items():
            if slot is None:
                self.slots.pop(key, None)
                self._due.pop(key, None)
                continue
            self.slots[key] = slot
            due = slot.due(key, self.logic)
            if due < END and self._due.get(key) != due:
                self._due[key] = due
                heapq.heappush(self._queue, (due, key))
            elif due >= END:
                self._due.pop(key, None)
        while self._queue and self._due.get(self._queue[0][1]) != self._queue[0][0]:
            heapq.heappop(self._queue)

    def restore(self, clock: Clock, slots: Mapping[str, Slot]) -> None:
        """Continue from a saved state. Inputs that are new since then are waited for from the beginning."""
        known = {name: clock.ticks.get(name, tick) for name, tick in self.clock.ticks.items()}
        self.apply(Changes(Clock(known, clock.watermark, clock.clock), slots))

    def _open(self, key: str) -> Slot:
        slot = self.slots.get(key)
        if slot is None:
            return Slot(self.logic.empty(key))
        return Slot(self.logic.copy(slot.compact), slot.tail.values(), slot.rows, slot.results)

    def _take(self, slot: Slot, record: Row | Delete) -> None:
        if record.time < self.clock.watermark:
            raise AssertionError(
                f"{self.me}: row behind the watermark {self.clock.watermark}: {record}"
            )
        if isinstance(record, Delete):
            slot.tail.pop((record.time, record.id), None)
            return
        known = slot.tail.get((record.time, record.id))
        if (
            known is not None
            and record.kind in COPIED
            and canonical(known.body) <= canonical(record.body)
        ):
            return
        slot.tail[record.time, record.id] = record

    def _ripe(self, watermark: int) -> Iterator[str]:
        """Keys with work below the watermark. Walks the heap without popping: a step may be thrown away."""
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

    def _settle(self, key: str, slot: Slot, watermark: int, clock: int) -> list[Output]:
        logic, settled, ahead = self.logic, Emit(), Emit()
        rows = [row for _, row in sorted(slot.tail.items())]
        cut = next((i for i, row in enumerate(rows) if row.time >= watermark), len(rows))
        _fold(logic, key, slot.compact, rows[:cut], False, settled)
        logic.fire(key, slot.compact, min(watermark, clock), False, settled)
        slot.tail = {(row.time, row.id): row for row in rows[cut:]}
        held = Emit()
        logic.report(key, slot.compact, held)
        final = settled.results
        if watermark == END:
            final |= held.results
        else:
            ahead.results |= held.results
            if slot.tail and logic.provisional(key):
                copy = logic.copy(slot.compact)
                _fold(logic, key, copy, rows[cut:], True, ahead)
                logic.report(key, copy, ahead)
        return _publish(
            slot, settled.rows | ahead.rows, final, ahead.results, held.results.keys(), watermark
        )


def _fold(
    logic: Logic, key: str, state: State, rows: Sequence[Row], ahead: bool, emit: Emit
) -> None:
    for time, together in groupby(rows, key=lambda row: row.time):
        logic.fire(key, state, time, ahead, emit)
        logic.apply(key, state, time, list(together), emit)


def _publish(
    slot: Slot,
    rows: Mapping[RowKey, Row],
    final: Mapping[tuple[str, str], Result],
    open_: Mapping[tuple[str, str], Result],
    held: Iterable[tuple[str, str]],
    watermark: int,
) -> list[Output]:
    """The difference between what was published and what is true now; keeps the new unsettled part in the slot."""
    out: list[Output] = []
    published = {(r.topic, r.level, r.key, r.time, r.id): r for r in slot.rows}
    out += [
        Delete(r.topic, r.level, r.key, r.time, r.id) for k, r in published.items() if k not in rows
    ]
    out += [row for k, row in rows.items() if published.get(k) != row]
    slot.rows = [row for row in rows.values() if row.time >= watermark]

    said = {(r.kind, r.id): r for r in slot.results}
    held = set(held)
    now = {
        k: Result(r.kind, r.id, r.time, "settled" if k in held else "provisional", r.body)
        for k, r in open_.items()
        if k not in final
    }
    out += [
        Result(r.kind, r.id, r.time, "withdrawn", r.body)
        for k, r in said.items()
        if k not in final and k not in now
    ]
    out += [r for k, r in now.items() if said.get(k) != r]
    out += [Result(r.kind, r.id, r.time, "final", r.body) for r in final.values()]
    slot.results = list(now.values())
    return out
