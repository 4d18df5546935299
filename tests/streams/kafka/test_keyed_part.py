"""KeyedPart: when it says how far time has come, and what it refuses."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec
import pytest
from aiokafka import TopicPartition

from correlators.observe import Observe
from schemas.rows import Delete, Row, Tick
from schemas.times import END, SECOND
from streams.kafka import wire
from streams.kafka.keyed_part import KeyedPart
from streams.kafka.outbound import Outbound
from streams.kafka.part import Step
from streams.topology import Fed, Stage, partition_of
from tests.streams.kafka.logs import Received

FACTS = TopicPartition("t.facts", 0)
STATE = "observe-state"


class World:
    """A partition of observe over one raw input, a clock, and what was saved of it."""

    def __init__(self, partitions: int = 1) -> None:
        self.now, self.partitions = 100 * SECOND, partitions
        self.saved: dict[bytes, bytes] = {}
        self.letters: list[tuple[str, str]] = []  # origin and reason
        self.log: list[Received] = []
        self.part = self.made()

    def made(self) -> KeyedPart:
        part = self.empty()
        list(part.restore(self.saved.items()))
        return part

    def empty(self) -> KeyedPart:
        fed = Fed(Stage("observe", 0, Observe(), ("ingest",)), ("raw/0",))
        out = Outbound(["inventory"], self.partitions)
        return KeyedPart(fed, 0, ["facts"], out, "t.", {}, lambda: self.now)

    def restart(self) -> None:
        """A new owner, which reads the unsettled rows again."""
        self.part = self.made()
        start, end = self.part.again.get(FACTS, 0), self.part.positions.get(FACTS, 0)
        if unsettled := self.log[start:end]:
            self.part.reread({FACTS: unsettled})

    def step(self, *records: Row | Delete | Tick) -> list[int]:
        """The watermarks that it tells."""
        return self.take(
            *(wire.tick(one) if isinstance(one, Tick) else wire.row(one) for one in records)
        )

    def take(self, *records: wire.Record) -> list[int]:
        """The same of records, whoever wrote them."""
        before = len(self.log)
        for one in records:
            self.log.append(Received(len(self.log), -1, one.key, one.value, one.headers))
        step = self.part.step({FACTS: self.log[before:]} if records else {})
        return [] if step is None else self._told(step)

    def _told(self, step: Step) -> list[int]:
        told: Sequence[Tick | Row] = []
        for topic, record in ((sent.topic, sent.record) for sent in step.records):
            if topic == STATE and record.key is not None:
                self.saved.pop(record.key, None)
                if record.value is not None:
                    self.saved[record.key] = record.value
            elif topic == "dead-letters":
                body = msgspec.json.decode(record.value or b"")
                self.letters.append((body["origin"], body["reason"]))
            elif topic == "inventory":
                found = wire.received(topic, record.key, record.value, record.headers)
                told = [*told, found] if isinstance(found, Tick | Row) else told
        return [one.watermark for one in told if isinstance(one, Tick)]


def seen(time: int, entity: str = "image:app") -> Row:
    body = {"source": "cloudtrail", "at": time * SECOND}
    return Row("facts", 0, entity, time * SECOND, f"asset|{time}", "asset", body)


def passed(time: int) -> Tick:
    return Tick("raw/0", 0, time * SECOND, time * SECOND)


def test_a_tick_soon_after_another_is_told_with_a_later_step() -> None:
    world = World()
    assert world.step(seen(1), passed(2)) == [2 * SECOND]
    world.now += SECOND // 2
    assert world.step(seen(3), passed(4)) == []
    world.now += 3 * SECOND // 4
    assert world.step(seen(5)) == [4 * SECOND]


def test_a_tick_that_is_owed_is_told_when_nothing_comes() -> None:
    world = World()
    world.step(seen(1), passed(2))
    assert world.step(seen(3), passed(4)) == []
    assert world.step() == []
    world.now += SECOND
    assert world.step() == [4 * SECOND]
    world.now += SECOND
    assert world.step() == []


def test_the_end_is_told_at_once() -> None:
    world = World()
    world.step(seen(1), passed(2))
    assert world.step(seen(3), Tick("raw/0", 0, END, 9)) == [END]


def test_a_new_owner_tells_what_the_old_one_may_have_owed() -> None:
    world = World()
    world.step(seen(1), passed(2))
    assert world.step(seen(3), passed(4)) == []
    world.part = world.made()
    assert world.step() == [4 * SECOND]


def test_a_large_state_is_restored_piece_by_piece() -> None:
    """Others have a turn between: a worker that restores for long must not fall silent."""
    world = World()
    for number in range(5_000):
        world.step(seen(1, f"image:{number}"))
    world.step(passed(2))
    part = world.empty()
    held = [part.keys for _ in part.restore(world.saved.items())]
    assert part.keys == 5_000
    assert max(after - before for before, after in pairwise([0, *held])) < 2_500


@pytest.mark.parametrize("size", [1, 4])
def test_a_row_behind_the_watermark_is_refused_wherever_steps_are_cut(size: int) -> None:
    """Nobody of ours writes one: it would change what is final, and to fail on it ended all."""
    world = World()
    world.step(seen(1), passed(2))
    strange: list[Row | Delete | Tick] = [
        passed(9),
        seen(4),
        Delete("facts", 0, "image:app", 3 * SECOND, "asset|3"),
        seen(9),
    ]
    for start in range(0, 4, size):
        world.now += SECOND
        world.step(*strange[start : start + size])
    origins = [f"kafka:t.facts/0/{offset}" for offset in (3, 4)]
    assert world.letters == [(origin, "behind-watermark") for origin in origins]
    world.restart()
    world.now += SECOND
    assert world.step(seen(9), passed(20)) == [20 * SECOND]
    assert len(world.letters) == 2


def test_a_key_of_another_partition_is_refused() -> None:
    """Two partitions would tell the same things of it."""
    world = World(partitions=2)
    entities = [f"image:{number}" for number in range(8)]
    mine = [one for one in entities if partition_of(one, 2) == 0]
    world.step(*(seen(1, one) for one in entities), passed(2))
    assert 0 < len(mine) < len(entities)
    assert [reason for _, reason in world.letters] == ["wrong-partition"] * (8 - len(mine))
    assert set(world.part.keyed.slots) == set(mine)


STRANGE = [
    (b'{"level": 0, "time": 5000000, "id": "x", "kind": "asset", "body": {}}', "defect"),
    (b'{"level": 0, "time": 9%s, "id": "x", "kind": "asset", "body": {}}' % (b"0" * 30), None),
    (
        b'{"level": 0, "time": 5000000, "id": "x", "kind": "asset",'
        b' "body": {"source": "s", "at": 5000000, "name": 1%s}}' % (b"0" * 30),
        "defect",
    ),
]


@pytest.mark.parametrize(("value", "reason"), STRANGE)
def test_what_a_stage_fails_on_is_refused_and_the_rest_goes_on(
    value: bytes, reason: str | None
) -> None:
    world = World()
    row, tick = wire.row(seen(5)), wire.tick(passed(6))
    strange = msgspec.structs.replace(row, value=value)
    assert world.take(row, strange, tick) == [6 * SECOND]
    assert world.letters == [("kafka:t.facts/0/1", reason or "wrong-shape")]
    world.restart()
    world.now += SECOND
    assert world.step(seen(7), passed(8)) == [8 * SECOND]
    assert len(world.letters) == 1


def test_what_was_taken_before_the_stage_fails_on_it_is_refused_then() -> None:
    """It lay in the tail: a worker of another version, say, had taken it."""
    world = World()
    world.step(seen(1), passed(2))
    strange = Row("facts", 0, "image:app", 5 * SECOND, "x", "asset", {})
    world.part.keyed.recall([strange])
    assert world.step(seen(6)) == []
    assert world.letters == [("kafka:t.facts/0", "defect")]
    world.now += SECOND
    assert world.step(passed(8)) == [8 * SECOND]


def test_what_no_worker_could_read_again_is_refused_before_it_is_saved() -> None:
    """It folds, and would end every worker that restores the partition."""
    world = World()
    world.step(seen(1), passed(2))
    body = {"source": 5, "at": 5 * SECOND}
    world.step(Row("facts", 0, "image:new", 5 * SECOND, "x", "asset", body), seen(5, "image:b"))
    world.now += SECOND
    assert world.step(passed(8)) == [8 * SECOND]
    assert world.letters == [("kafka:t.facts/0", "defect")]
    world.restart()
    assert world.part.keys == 2
    world.now += SECOND
    assert world.step(seen(9), passed(10)) == [10 * SECOND]
    assert len(world.letters) == 1


@pytest.mark.parametrize("watermark", [10**19, 10**30])
def test_a_tick_beyond_all_time_is_refused(watermark: int) -> None:
    """No state could hold it."""
    world = World()
    world.step(seen(1))
    world.now += SECOND
    world.step(Tick("raw/0", 0, watermark, watermark))
    assert world.letters == [("kafka:t.facts/0/1", "wrong-shape")]
    world.now += SECOND
    assert world.step(passed(2)) == [2 * SECOND]
