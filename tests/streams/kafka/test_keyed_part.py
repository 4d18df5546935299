"""KeyedPart: when it says how far time has come."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from aiokafka import TopicPartition

from correlators.observe import Observe
from schemas.rows import Row, Tick
from schemas.times import END, SECOND
from streams.kafka import wire
from streams.kafka.keyed_part import KeyedPart
from streams.kafka.outbound import Outbound
from streams.kafka.part import Step
from streams.topology import Fed, Stage
from tests.streams.kafka.logs import Received

FACTS = TopicPartition("t.facts", 0)
STATE = "observe-state"


class World:
    """A partition of observe over one raw input, a clock, and what was saved of it."""

    def __init__(self) -> None:
        self.now, self.offset = 100 * SECOND, 0
        self.saved: dict[bytes, bytes] = {}
        self.part = self.made()

    def made(self) -> KeyedPart:
        part = self.empty()
        list(part.restore(self.saved.items()))
        return part

    def empty(self) -> KeyedPart:
        fed = Fed(Stage("observe", 0, Observe(), ("ingest",)), ("raw/0",))
        out = Outbound(["inventory"], 1)
        return KeyedPart(fed, 0, ["facts"], out, "t.", {}, lambda: self.now)

    def step(self, *records: Row | Tick) -> list[int]:
        """The watermarks that it tells."""
        fetched: list[Received] = []
        for one in records:
            record = wire.tick(one) if isinstance(one, Tick) else wire.row(one)
            fetched.append(Received(self.offset, -1, record.key, record.value, record.headers))
            self.offset += 1
        step = self.part.step({FACTS: fetched} if fetched else {})
        return [] if step is None else self._told(step)

    def _told(self, step: Step) -> list[int]:
        told: Sequence[Tick | Row] = []
        for topic, record in ((sent.topic, sent.record) for sent in step.records):
            if topic == STATE and record.key is not None and record.value is not None:
                self.saved[record.key] = record.value
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
