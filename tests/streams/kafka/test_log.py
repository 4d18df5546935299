"""Log on a real broker: from any place, to the present end, and only what was committed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from kafka.structs import TopicPartition

from infra.dev.broker import Broker
from schemas.config import KafkaConfig
from streams.kafka.connection import admin
from streams.kafka.log import Entry, Log, Start

pytestmark = pytest.mark.kafka


@pytest.fixture
def config(broker: Broker) -> KafkaConfig:
    return KafkaConfig(bootstrap=broker.bootstrap)


@pytest.fixture
def topic(broker: Broker, prefix: str) -> str:
    with admin(KafkaConfig(bootstrap=broker.bootstrap)) as client:
        client.create_topics({f"{prefix}x": {"num_partitions": 2}}, wait_for_metadata=True)
    return f"{prefix}x"


@pytest.fixture
async def producer(broker: Broker, prefix: str) -> AsyncIterator[Any]:
    async with AIOKafkaProducer(**broker.client(), transactional_id=f"{prefix}t") as started:
        yield started


async def put(producer: Any, topic: str, values: range, partition: int = 0) -> None:  # noqa: ANN401
    async with producer.transaction():
        for value in values:
            await producer.send_and_wait(topic, b"%d" % value, partition=partition)


async def read(config: KafkaConfig, topic: str, start: Start) -> list[bytes | None]:
    async with Log(config) as log:
        return [entry.value async for entry in log.entries(topic, 2, start)]


@pytest.mark.parametrize(
    ("start", "values"),
    [
        ("beginning", [0, 1, 2, 3, 9]),
        ("end", []),
        (2, [2, 3]),
        (-2, [3]),  # the last place holds the mark of the transaction
        (-99, [0, 1, 2, 3, 9]),
        (99, []),
    ],
)
async def test_from_a_place_to_the_end(
    config: KafkaConfig,
    topic: str,
    producer: Any,  # noqa: ANN401
    start: Start,
    values: list[int],
) -> None:
    await put(producer, topic, range(4))
    if start in ("beginning", -99):
        await put(producer, topic, range(9, 10), partition=1)
    assert sorted(await read(config, topic, start)) == [b"%d" % value for value in values]  # type: ignore[type-var]


async def test_what_was_aborted_or_is_open_is_not_seen(
    config: KafkaConfig,
    topic: str,
    producer: Any,  # noqa: ANN401
) -> None:
    await put(producer, topic, range(2))
    await producer.begin_transaction()
    await producer.send_and_wait(topic, b"aborted", partition=0)
    await producer.abort_transaction()
    assert await read(config, topic, "beginning") == [b"0", b"1"]
    await producer.begin_transaction()
    await producer.send_and_wait(topic, b"open", partition=0)
    assert await read(config, topic, "beginning") == [b"0", b"1"]
    await producer.commit_transaction()
    assert await read(config, topic, "beginning") == [b"0", b"1", b"open"]


async def test_a_follower_sees_what_comes(
    config: KafkaConfig,
    topic: str,
    producer: Any,  # noqa: ANN401
) -> None:
    await put(producer, topic, range(1))
    async with Log(config) as log:
        entries = log.entries(topic, 2, "end", follow=True)
        coming = asyncio.ensure_future(anext(entries))
        while not coming.done():  # it follows from the end as it finds it
            await put(producer, topic, range(5, 6))
            await asyncio.wait([coming], timeout=0.1)
        assert (await coming).value == b"5"
        await entries.aclose()


async def test_one_record_by_its_place(
    config: KafkaConfig,
    topic: str,
    producer: Any,  # noqa: ANN401
) -> None:
    await put(producer, topic, range(3))
    with await asyncio.to_thread(admin, config) as client:
        client.delete_records({TopicPartition(topic, 0): 1})
    async with Log(config) as log:
        found: list[Entry | None] = [await log.at(topic, 0, offset) for offset in (0, 1, 2, 3, 9)]
        assert [entry and entry.value for entry in found] == [None, b"1", b"2", None, None]
        assert await log.at(topic, 1, 0) is None
