"""Between: what lies in the topics between stages, where others than ours may have written.

A row that no stage of ours can have written ends no stage: it is refused and goes to the dead
letters with its reason, as what cannot be read there does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Final, NamedTuple

import msgspec
from aiokafka import TopicPartition

from correlators.keyed import Clock, Keyed
from schemas.canonical import canonical
from schemas.rows import Delete, Result, Row, Tick
from schemas.times import BEGINNING, END, rfc3339
from streams.kafka import wire
from streams.kafka.part import Received
from streams.reading import reject
from streams.records.documents import Fault
from streams.source import Reason
from streams.topology import Stage, partition_of

_KEYLESS: Final = (ValueError, TypeError, IndexError)  # of a key that holds no rule and group


class Refused(NamedTuple):
    """A dead letter, and the value that it is about."""

    result: Result
    value: bytes


class Settled:
    """How far time has come at a place of the inputs, record by record.

    A keyed stage looks at its watermark once a step; a row that is behind it is so wherever steps
    are cut.
    """

    def __init__(self, clock: Clock) -> None:
        self.watermark = clock.watermark
        self._heard = {name: tick.watermark for name, tick in clock.ticks.items()}

    def hear(self, tick: Tick) -> bool:
        """Take note of a Tick; False for one of an input that is not waited for."""
        if tick.input not in self._heard:
            return False
        moves = self._heard[tick.input] < tick.watermark
        self._heard[tick.input] = tick.watermark
        if moves:
            self.watermark = max(self.watermark, min(self._heard.values()))
        return True


class Between:
    """What one partition of a stage finds in its topics, which have so many `partitions`."""

    def __init__(self, stage: Stage, partitions: int, prefix: str) -> None:
        self._stage, self._prefix = stage, prefix
        self._partitions = 1 if stage.single else partitions

    def told(
        self, tp: TopicPartition, records: Sequence[Received]
    ) -> Iterator[Row | Delete | Tick | Refused | None]:
        """What each record says; None for a row of another level, or of rules that are not here."""
        topic, level = tp.topic.removeprefix(self._prefix), self._stage.level
        owners: dict[str, int | None] = {}  # most keys have several rows
        for record in records:
            try:
                row = wire.received(topic, record.key, record.value, record.headers)
                if type(row) is Tick:
                    yield row
                    continue
                if row.level != level:
                    yield None
                    continue
                if row.key not in owners:
                    owners[row.key] = self._owner(row.key)
            except (msgspec.DecodeError, *_KEYLESS) as error:
                yield refused(origin(tp, record), record.value, "wrong-shape", str(error))
                continue
            owner = owners[row.key]
            if owner == tp.partition:
                yield row
            elif owner is None:
                yield None
            else:
                detail = f"the key belongs in partition {owner}: {row.key}"
                yield refused(origin(tp, record), record.value, "wrong-partition", detail)

    def _owner(self, key: str) -> int | None:
        """The partition that owns a key; None for one that rules have which are not here."""
        if not self._stage.logic.knows(key):
            return None
        return partition_of(key, self._partitions)


def behind(tp: TopicPartition, record: Received, row: Row | Delete, settled: Settled) -> Refused:
    """The refusal of a row behind the watermark: what it would change is final."""
    times = f"its time {rfc3339(row.time)} is behind {rfc3339(settled.watermark)}, which is settled"
    return refused(origin(tp, record), record.value, "behind-watermark", times)


def origin(tp: TopicPartition, record: Received) -> str:
    """Where a record lies."""
    return f"kafka:{tp.topic}/{tp.partition}/{record.offset}"


def refused(where: str, value: bytes | None, reason: Reason, detail: str) -> Refused:
    """The refusal of a record."""
    value = value or b""
    fault = Fault(reason, detail, sha256(value).hexdigest(), len(value))
    body = reject(fault, where, None).body()
    return Refused(Result("reject", where, BEGINNING, "final", body), value)


def unfit(stage: Stage, row: Row) -> str | None:
    """Why a stage fails on a row of which it knows nothing else; None if it does not."""
    alone = Keyed(stage.logic, "alone", stage.level, ["input"])
    try:
        canonical(row.body)
        msgspec.msgpack.encode(row.body)
        for batch in ([row], [Tick("input", stage.level, END, row.time)]):
            changes, _ = alone.step(batch)
            alone.apply(changes)
            for slot in filter(None, changes.slots.values()):
                slot.saved(stage.logic)
    except Exception as error:  # noqa: BLE001 - whatever a stage fails on
        return f"{type(error).__name__}: {error}"
    return None
