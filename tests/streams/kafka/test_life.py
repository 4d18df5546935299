"""A life in the group: what it knows while the group changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing
from typing import Any, cast

import pytest
from aiokafka import TopicPartition
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from infra.dev.broker import Broker
from schemas.config import KafkaConfig
from streams.kafka import untyped
from streams.kafka.connection import client
from streams.kafka.life import Figures, Job, Life, Work
from streams.kafka.part import Fetched, Step


async def test_an_input_that_the_group_has_taken_has_no_end() -> None:
    """It may be taken while somebody asks for the lag: no reason to end the worker."""
    never = cast("Any", None)
    job = Job("correlate", ["raw"], "group", lambda _: "raw-0", never, never, 100)
    life = Life(KafkaConfig(bootstrap="127.0.0.1:9"), job, never, Figures())
    assert life._end(TopicPartition("raw", 0)) is None  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    await life._farewell()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


class Recorder:
    """A part of one input that remembers what it was given."""

    between = False
    transactional_id = "recorder"
    reached = None
    ended = False

    def __init__(self, prefix: str) -> None:
        self.name = "recorder/0"
        self.inputs = (TopicPartition(f"{prefix}in", 0),)
        self.state = TopicPartition(f"{prefix}state", 0)
        self.positions: dict[TopicPartition, int] = {}
        self.again: dict[TopicPartition, int] = {}
        self.taken: list[bytes | None] = []

    def restore(self, records: object) -> None: ...

    def reread(self, fetched: object) -> None: ...

    def step(self, fetched: Fetched, empty: int | None = None) -> Step | None:  # noqa: ARG002 - a Part's
        for tp, records in fetched.items():
            self.taken += [record.value for record in records]
            self.positions[tp] = records[-1].offset + 1
        return Step([], dict(self.positions)) if fetched else None


@pytest.mark.kafka
async def test_what_a_fetch_from_before_a_rebalance_brings_is_read_again(
    broker: Broker, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a fetch may end behind the rebalance, with records that nobody else has seen."""
    admin: Any = KafkaAdminClient(**broker.client())
    with closing(admin):
        admin.create_topics([NewTopic(prefix + name, 1, 1) for name in ("in", "other", "state")])
    config = KafkaConfig(bootstrap=broker.bootstrap, prefix=prefix)
    part, figures, group = Recorder(prefix), Figures(), f"{prefix}group"

    async def at_once(work: Work) -> None:
        await work()

    async def unchecked() -> None: ...

    job = Job("record", [f"{prefix}in"], group, lambda _: part.name, lambda _: part, unchecked, 9)
    life = Life(config, job, at_once, figures)
    consumer: Any = life._consumer  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    fetch, began, may_end = consumer.getmany, asyncio.Event(), asyncio.Event()

    async def slow(*inputs: TopicPartition, **options: object) -> object:
        began.set()
        await may_end.wait()
        return await fetch(*inputs, **options)

    monkeypatch.setattr(consumer, "getmany", slow)
    running = asyncio.create_task(life.run())
    other = untyped.Consumer(f"{prefix}other", **client(config), group_id=group)
    producer = untyped.Producer(**client(config))
    await producer.start()
    try:
        await soon(began.is_set)
        before = figures.rebalances
        await other.start()  # all partitions stay where they are
        await soon(lambda: figures.rebalances > before)
        await producer.send_and_wait(f"{prefix}in", b"1")
        may_end.set()
        await soon(lambda: part.taken)
        await producer.send_and_wait(f"{prefix}in", b"2")
        await soon(lambda: len(part.taken) > 1)
        assert part.taken == [b"1", b"2"]
    finally:
        await producer.stop()
        await other.stop()
        life.end()
        await running


async def soon(done: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not done():  # noqa: ASYNC110 - nobody would set an event
            await asyncio.sleep(0.02)
