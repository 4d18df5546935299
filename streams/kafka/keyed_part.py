"""KeyedPart: a partition of a keyed stage behind its topics.

Saved are what is settled and what was published; the unsettled rows are read again at a start, from
the oldest of them on, which is saved with the positions.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Final

import msgspec
from aiokafka import TopicPartition

from correlators.keyed import Changes, Clock
from correlators.logic import RowKey, row_key
from correlators.slot import Slot
from schemas.rows import Delete, Output, Result, Row, Tick
from schemas.times import BEGINNING, END
from schemas.topics import DEAD_LETTERS
from sinks.delivery.revisions import Revisions
from streams.kafka import wire
from streams.kafka.agreement import ended
from streams.kafka.between import Between, Refused, Settled, behind, origin, refused, unfit
from streams.kafka.outbound import Outbound
from streams.kafka.part import TICK, Fetched, Received, Sent, Step
from streams.kafka.state import Saved
from streams.outdated import Outdated, Rules, Stated, without
from streams.topology import Fed

_CLOCK, _RULES = b"clock", b"rules"
_TICK, _SLOT, _REVISION = b"tick/", b"slot/", b"revision/"  # before an input, a key, a result
_REVISED: Final = frozenset({"finding", "alert"})
_AT_ONCE: Final = 2_000  # values that are restored before others have a turn
EPISODES: Final = 2_000  # final ones whose revisions a partition remembers


class _Place(msgspec.Struct, array_like=True, frozen=True):
    """The partition's place in time, and in each topic: behind what is saved, and the tail's."""

    watermark: int
    clock: int
    positions: dict[str, int]
    again: dict[str, int]


class KeyedPart:
    """One partition of one keyed stage, and its topics, named with `prefix` in Kafka.

    `rules`: the rules with state, by which that of changed ones is dropped. `clock`: the wall
    clock in microseconds, for `meta` and for how long Ticks may wait.
    """

    between = True
    reached = None

    def __init__(
        self,
        fed: Fed,
        partition: int,
        topics: Iterable[str],
        outbound: Outbound,
        prefix: str,
        rules: Rules,
        clock: Callable[[], int],
    ) -> None:
        self.stage, self.partition = fed.stage, partition
        self.keyed = fed.keyed(partition)
        self.name = self.keyed.me
        self._prefix, self._outbound = prefix, outbound
        self._rules, self._clock = dict(rules), clock
        self._rules_saved = msgspec.json.encode(self._rules)
        self.inputs = tuple(TopicPartition(prefix + topic, partition) for topic in topics)
        self.state = TopicPartition(f"{prefix}{fed.stage.name}-state", partition)
        self.positions: dict[TopicPartition, int] = {}
        self.again: dict[TopicPartition, int] = {}
        self._saved = Saved()
        self._revisions = Revisions.in_memory()
        # By topic, runs of rows that are not settled: their first offset and their latest time.
        self._runs: dict[TopicPartition, deque[tuple[int, int]]] = {
            tp: deque() for tp in self.inputs
        }
        self._outdated = Outdated({}, {})
        self._between = Between(fed.stage, outbound.partitions, prefix)
        self._settled = Settled(self.keyed.clock)
        self._taken_back: list[Output] = []
        self._dropped: dict[bytes, bytes | None] = {}
        self._held: list[Row | Delete | Tick] = []  # Ticks that were read and wait for more
        self._moved = False  # records were read since the last step
        self._stepped = self._ticked = -TICK
        self._owes = False  # time has passed here further than the last Tick says
        self._stamped_ids: dict[tuple[str, str], None] = {}

    @property
    def transactional_id(self) -> str:
        """One for each partition of each stage."""
        return f"{self.stage.name}-{self.partition}"

    @property
    def ended(self) -> bool:
        """True once all inputs have said that no row will come."""
        return self.keyed.clock.watermark == END

    @property
    def crowded_out(self) -> int:
        """How many keys it has forgotten for lack of room."""
        return self.keyed.crowded_out

    @property
    def keys(self) -> int:
        """How many keys it holds."""
        return len(self.keyed.slots)

    def restore(self, records: Iterable[tuple[bytes, bytes]]) -> Iterator[None]:
        """Continue; the state of rules that are no longer what they were is dropped."""
        values: dict[bytes, bytes] = {}
        for piece in _pieces(self._saved.loaded(records)):
            values.update(piece)
            yield
        place = msgspec.msgpack.decode(
            values.get(_CLOCK) or msgspec.msgpack.encode(_Place(BEGINNING, BEGINNING, {}, {})),
            type=_Place,
        )
        ticks = {
            key.removeprefix(_TICK).decode(): msgspec.msgpack.decode(value, type=Tick)
            for key, value in values.items()
            if key.startswith(_TICK)
        }
        self._revisions.load(v for k, v in values.items() if k.startswith(_REVISION))
        before = msgspec.json.decode(values.get(_RULES, b"{}"), type=dict[str, Stated])
        self._outdated = Outdated(before, self._rules)
        self.keyed.restore(Clock(ticks, place.watermark, place.clock), {})
        self._settled = Settled(self.keyed.clock)
        self._owes = BEGINNING < place.watermark < END  # perhaps; nobody minds to hear it twice
        self.positions = _placed(self.inputs, place.positions)
        self.again = _placed(self.inputs, place.again)
        saved = (pair for pair in values.items() if pair[0].startswith(_SLOT))
        for piece in _pieces(saved):
            self._restore(piece)
            yield

    def _restore(self, saved: Iterable[tuple[bytes, bytes]]) -> None:
        """Take slots as they were saved, without what is outdated."""
        logic, clock = self.stage.logic, self.keyed.clock
        slots = {key.removeprefix(_SLOT).decode(): Slot.load(value, logic) for key, value in saved}
        kept = without(logic, slots, self._outdated, clock.watermark)
        self._taken_back += kept.outputs
        self._dropped |= {
            _SLOT + key.encode(): kept.slots[key].dump(tail=False) if key in kept.slots else None
            for key in kept.changed
        }
        self.keyed.apply(Changes(clock, kept.slots))

    def reread(self, fetched: Fetched) -> None:
        """Put what is not settled back into the tails."""
        for tp, records in fetched.items():
            rows = [
                row
                for row in self._between.told(tp, records)
                if isinstance(row, Row | Delete) and not self._outdated.hit(row)
            ]
            self.keyed.recall(rows)
            self._run(tp, records[0].offset, rows)

    def step(self, fetched: Fetched, empty: int | None = None) -> Step | None:  # noqa: ARG002 - time passes by Ticks here
        """Take a batch of each topic, in the order of each; a row that is not ours is refused."""
        batch, self._held = self._held, []
        strange: list[Refused] = []
        for tp, records in fetched.items():
            self._take(tp, records, batch, strange)
        self._moved = self._moved or bool(fetched)
        if not (strange or self._taken_back) and self._can_wait(batch):
            self._held = batch
            return None
        self._moved = False
        before = self.keyed.clock
        self._stepped = self._clock()
        changes, outputs, values = self._fitted(batch, fetched, strange)
        outputs = self._telling(outputs, changes.clock)
        sent = list(self._outbound.sent(self._stamped([*self._taken_back, *outputs])))
        self._taken_back = []
        values = self._values(before, changes.clock) | values
        self.keyed.apply(changes)
        sent += (Sent(DEAD_LETTERS, 0, wire.dead_letter(*one)) for one in strange)
        if self.ended and before.watermark != END:
            sent.append(ended(self.name))
        sent += (
            Sent(f"{self.stage.name}-state", self.partition, record)
            for record in self._saved.changes(values)
        )
        return Step(sent, dict(self.positions), len(strange))

    def _take(
        self,
        tp: TopicPartition,
        records: Sequence[Received],
        batch: list[Row | Delete | Tick],
        strange: list[Refused],
    ) -> None:
        """Put what the records say into the batch, or among the strange."""
        rows: list[Row | Delete] = []
        for record, row in zip(records, self._between.told(tp, records), strict=True):
            if type(row) is Tick:
                if self._settled.hear(row):
                    batch.append(row)
            elif isinstance(row, Refused):
                strange.append(row)
            elif row is not None and row.time < self._settled.watermark:
                strange.append(behind(tp, record, row, self._settled))
            elif row is not None:
                rows.append(row)
                batch.append(row)
        self._run(tp, records[0].offset, rows)
        self.positions[tp] = records[-1].offset + 1

    def _fitted(
        self, batch: Sequence[Row | Delete | Tick], fetched: Fetched, strange: list[Refused]
    ) -> tuple[Changes, list[Output], dict[bytes, bytes | None]]:
        """The same as `_folded`; where that fails, without the rows that are the reason."""
        try:
            return self._folded(batch)
        except Exception:  # noqa: BLE001 - whatever a stage fails on
            batch = self._without_unfit(batch, fetched, strange)
        try:
            return self._folded(batch)
        except Exception:  # noqa: BLE001 - it is raised again where no row is the reason
            return self._folded([*self._unfit_tails(strange), *batch])

    def _folded(
        self, batch: Iterable[Row | Delete | Tick]
    ) -> tuple[Changes, list[Output], dict[bytes, bytes | None]]:
        """What a step over the batch changes and says, and its slots as they are to be saved."""
        changes, outputs = self.keyed.step(batch)
        values: dict[bytes, bytes | None] = {}
        for key, slot in changes.slots.items():
            saved = _SLOT + key.encode()
            values[saved] = None if slot is None else self._dumped(key, slot, saved)
        return changes, outputs, values

    def _without_unfit(
        self, batch: Sequence[Row | Delete | Tick], fetched: Fetched, strange: list[Refused]
    ) -> Sequence[Row | Delete | Tick]:
        """The batch without the rows on which the stage fails whatever else it knows."""
        found: set[RowKey] = set()
        known = {one.result.id for one in strange}
        for tp, records in fetched.items():
            rows: list[Row | Delete] = []
            for record, row in zip(records, self._between.told(tp, records), strict=True):
                where = origin(tp, record)
                if not isinstance(row, Row | Delete) or where in known:
                    continue
                if type(row) is Row and (why := unfit(self.stage, row)) is not None:
                    found.add(row_key(row))
                    strange.append(refused(where, record.value, "defect", why))
                else:
                    rows.append(row)
            runs = self._runs[tp]
            if runs and runs[-1][0] == records[0].offset:
                runs.pop()
            self._run(tp, records[0].offset, rows)
        return [one for one in batch if not (type(one) is Row and row_key(one) in found)]

    def _unfit_tails(self, strange: list[Refused]) -> Iterator[Delete]:
        """What takes such rows back that came with earlier batches; where they lay is forgotten."""
        for slot in self.keyed.slots.values():
            for row in slot.tail.values():
                if (why := unfit(self.stage, row)) is not None:
                    where = f"kafka:{self._prefix}{row.topic}/{self.partition}"
                    strange.append(refused(where, wire.row(row).value, "defect", why))
                    yield Delete(row.topic, row.level, row.key, row.time, row.id)

    def _can_wait(self, batch: Sequence[Row | Delete | Tick]) -> bool:
        """True if only time has passed, and the last step was just now: more of it will come.

        Without this, an estate at rest would keep the brokers busy with transactions about nothing.
        """
        soon = 0 <= self._clock() - self._stepped < TICK
        if self._owes and not soon:
            return False
        return not self._moved or (
            soon and all(type(one) is Tick and one.watermark != END for one in batch)
        )

    def _may_tell(self) -> bool:
        return not 0 <= self._clock() - self._ticked < TICK

    def _telling(self, outputs: Iterable[Output], clock: Clock) -> list[Output]:
        """The outputs; a Tick soon after the last one is told later, and says what came since.

        Each goes to every partition of the next topics, while rows are seen without it.
        """
        told: list[Output] = []
        for output in outputs:
            if type(output) is Tick:
                self._owes = True
            else:
                told.append(output)
        if self._owes and (clock.watermark == END or self._may_tell()):
            told.append(Tick(self.name, self.stage.level, clock.watermark, clock.clock))
            self._owes, self._ticked = False, self._clock()
        return told

    def _run(self, tp: TopicPartition, offset: int, rows: Sequence[Row | Delete]) -> None:
        if rows:
            self._runs[tp].append((offset, max(row.time for row in rows)))

    def _values(self, before: Clock, clock: Clock) -> dict[bytes, bytes | None]:
        """What has to be saved beside the slots, by key of the state topic."""
        for tp, runs in self._runs.items():
            while runs and runs[0][1] < clock.watermark:
                runs.popleft()
            self.again[tp] = runs[0][0] if runs else self.positions.get(tp, 0)
        place = _Place(
            clock.watermark,
            clock.clock,
            {tp.topic: offset for tp, offset in self.positions.items()},
            {tp.topic: offset for tp, offset in self.again.items() if tp in self.positions},
        )
        values: dict[bytes, bytes | None] = {
            _CLOCK: msgspec.msgpack.encode(place),
            _RULES: self._rules_saved,
            **self._dropped,
        }
        self._dropped = {}
        for name, tick in clock.ticks.items():
            if tick is not before.ticks[name]:
                values[_TICK + name.encode()] = msgspec.msgpack.encode(tick)
        return values | self._revised()

    def _revised(self) -> dict[bytes, bytes | None]:
        """The revisions of what was stamped since the last time, and of what is forgotten."""
        found: dict[bytes, bytes | None] = {
            _revision(kind, id_): self._revisions.line(kind, id_) for kind, id_ in self._stamped_ids
        }
        if found:
            self._stamped_ids = {}
            found |= {_revision(*gone): None for gone in self._revisions.forget(EPISODES)}
        return found

    def _dumped(self, key: str, slot: Slot, saved: bytes) -> bytes | None:
        """The slot without its tail; None where that says nothing, and nothing was saved.

        What could not be read again fails here, and not with every worker that restores it.
        """
        said = saved in self._saved or slot.rows or slot.results
        if not said and slot.compact == self.stage.logic.empty(key):
            return None
        return slot.saved(self.stage.logic)

    def _stamped(self, outputs: Iterable[Output]) -> Iterable[Output]:
        """The outputs with `meta` in findings and alerts, each revision once."""
        told = list(outputs)
        results = [one for one in told if type(one) is Result]
        revised = [(one.kind, one.id) for one in results if one.kind in _REVISED]
        if not revised:
            return told
        self._stamped_ids |= dict.fromkeys(revised)
        before = {key: self._revisions.number(*key) for key in revised}
        stamped = self._revisions.stamped(results, self._clock())
        # What says nothing new is not said again: the same state of the same body.
        fresh = (
            one
            for one in stamped
            if one.kind not in _REVISED or one.body["meta"]["revision"] != before[one.kind, one.id]
        )
        others = (one for one in told if type(one) is not Result)
        return chain(fresh, others)


def _pieces(pairs: Iterator[tuple[bytes, bytes]]) -> Iterator[Sequence[tuple[bytes, bytes]]]:
    while piece := list(islice(pairs, _AT_ONCE)):
        yield piece


def _revision(kind: str, id_: str) -> bytes:
    return _REVISION + f"{kind}/{id_}".encode()


def _placed(
    inputs: Iterable[TopicPartition], offsets: Mapping[str, int]
) -> dict[TopicPartition, int]:
    return {tp: offsets[tp.topic] for tp in inputs if tp.topic in offsets}
