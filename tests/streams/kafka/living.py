"""Living: lives of a stage over a real broker, of parts that remember what they were given."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, closing
from typing import Any

from aiokafka import TopicPartition
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from infra.dev.broker import Broker
from schemas.config import KafkaConfig
from streams.kafka import untyped
from streams.kafka.connection import client
from streams.kafka.hosted import Hosted
from streams.kafka.job import Figures, HandOver, Job, Work
from streams.kafka.life import Life
from streams.kafka.pace import PAUSE, Processor
from streams.kafka.part import Fetched, Step

PATIENCE = 60.0


async def soon(done: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not done():  # noqa: ASYNC110 - nobody would set an event
            await asyncio.sleep(0.02)


class Recorder:
    """A part that remembers what it was given, and saves nothing but its positions."""

    between = False
    ended = False
    reached: int | None = None

    def __init__(self, name: str, inputs: Sequence[TopicPartition], state: TopicPartition) -> None:
        self.name = self.transactional_id = name
        self.inputs, self.state = tuple(inputs), state
        self.positions: dict[TopicPartition, int] = {}
        self.again: dict[TopicPartition, int] = {}
        self.taken: list[bytes | None] = []

    def restore(self, records: object) -> Iterator[None]:  # noqa: ARG002 - a Part's
        return iter(())

    def reread(self, fetched: Fetched) -> None: ...

    def step(self, fetched: Fetched, empty: int | None = None) -> Step | None:  # noqa: ARG002 - a Part's
        for tp, records in fetched.items():
            self.taken += [record.value for record in records]
            self.positions[tp] = records[-1].offset + 1
        return Step([], dict(self.positions)) if fetched else None


async def at_once(work: Work) -> None:
    await work()


async def unchecked() -> None: ...


class Stage:
    """A stage of recorders, one for each number of a partition, under a prefix of its own.

    `made` are all parts that its lives made, in order.
    """

    def __init__(self, broker: Broker, prefix: str, topics: Sequence[str], partitions: int) -> None:
        self.config = KafkaConfig(bootstrap=broker.bootstrap, prefix=prefix)
        self.group = f"{prefix}group"
        self.topics, self.partitions = [prefix + topic for topic in topics], partitions
        self.made: list[Recorder] = []
        self._state = f"{prefix}state"
        admin: Any = KafkaAdminClient(**broker.client())
        with closing(admin):
            places = [*self.topics, self._state, f"{prefix}other"]
            admin.create_topics([NewTopic(place, partitions, 1) for place in places])

    def life(
        self,
        hand_over: HandOver = at_once,
        checked: Any = unchecked,  # noqa: ANN401
        pause: float = PAUSE,
    ) -> Life:
        """One more worker."""
        job = Job(
            "record",
            self.topics,
            self.group,
            lambda tp: f"record/{tp.partition}",
            self._make,
            checked,
            9,
            together=len(self.topics) > 1,
            pause=pause,
        )
        return Life(self.config, job, hand_over, Figures(), Processor())

    def taken(self) -> list[bytes | None]:
        """What all parts together were given."""
        return [value for part in self.made for value in part.taken]

    @asynccontextmanager
    async def joined(self, topic: str | None = None) -> AsyncGenerator[None]:
        """Have a stranger in the group, of another topic: all partitions stay where they are."""
        named = topic or f"{self.config.prefix}other"
        other = untyped.Consumer(named, **client(self.config), group_id=self.group)
        await other.start()
        try:
            yield
        finally:
            await other.stop()

    async def write(self, *values: bytes, partition: int = 0) -> None:
        """Put records into a partition of the first topic."""
        producer = untyped.Producer(**client(self.config))
        await producer.start()
        try:
            for value in values:
                await producer.send_and_wait(self.topics[0], value, partition=partition)
        finally:
            await producer.stop()

    def _make(self, name: str) -> Recorder:
        number = int(name.rpartition("/")[2])
        inputs = [TopicPartition(topic, number) for topic in self.topics]
        self.made.append(Recorder(name, inputs, TopicPartition(self._state, number)))
        return self.made[-1]


@asynccontextmanager
async def living(*lives: Life) -> AsyncGenerator[list[asyncio.Task[None]]]:
    """Run them; at the end they finish what is at hand, and none has failed."""
    tasks = [asyncio.create_task(life.run()) for life in lives]
    try:
        yield tasks
    finally:
        for life in lives:
            life.end()
        done = await asyncio.gather(*tasks, return_exceptions=True)
    assert done == [None] * len(lives)


def hosted(life: Life) -> list[Hosted]:
    """What a life hosts."""
    return list(life._hosted.values())  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


def consumer(life: Life) -> Any:  # noqa: ANN401 - aiokafka's
    """The consumer of a life."""
    return life._consumer  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


def rebalances(life: Life) -> int:
    """How often the group has given out partitions to a life."""
    return life._figures.rebalances  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


def names(lives: Iterable[Life]) -> list[list[str]]:
    """The parts that each life has recovered."""
    return [sorted(one.part.name for one in hosted(life) if one.recovered) for life in lives]
