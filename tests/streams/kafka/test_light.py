"""Light records on a real broker: as many and the same, for who asks; others see no difference."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import aiokafka
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from infra.dev.broker import Broker
from schemas.config import KafkaConfig
from streams.kafka.connection import admin
from streams.kafka.light import as_decoded

pytestmark = pytest.mark.kafka

WRITTEN = [(None, b"raw", []), (b"key", b"value", [("name", b"x")]), (b"gone", None, [])]


@pytest.fixture
def place(broker: Broker, prefix: str) -> TopicPartition:
    with admin(KafkaConfig(bootstrap=broker.bootstrap)) as client:
        client.create_topics({f"{prefix}x": {"num_partitions": 1}}, wait_for_metadata=True)
    return TopicPartition(f"{prefix}x", 0)


async def write(broker: Broker, prefix: str, place: TopicPartition) -> None:
    async with AIOKafkaProducer(**broker.client(), transactional_id=f"{prefix}t") as producer:
        for commits in (
            False,
            True,
        ):  # what was aborted, and the marks, are offsets without records
            await producer.begin_transaction()
            for key, value, headers in WRITTEN:
                await producer.send_and_wait(
                    place.topic, value, key, place.partition, 1_700_000_000_000, headers
                )
            await (producer.commit_transaction() if commits else producer.abort_transaction())


async def read(broker: Broker, place: TopicPartition, options: dict[str, Any]) -> list[Any]:
    async with AIOKafkaConsumer(
        **broker.client(), isolation_level="read_committed", **options
    ) as consumer:
        consumer.assign([place])
        consumer.seek(place, 0)
        found: list[Any] = []
        while await consumer.position(place) < 8:
            found += (await consumer.getmany(place, timeout_ms=500)).get(place, [])
        return found


@pytest.mark.parametrize("asked", [True, False])
async def test_records_are_the_same(
    broker: Broker, prefix: str, place: TopicPartition, *, asked: bool
) -> None:
    await write(broker, prefix, place)

    found = await read(broker, place, {"key_deserializer": as_decoded} if asked else {})

    assert [(r.key, r.value, list(r.headers)) for r in found] == WRITTEN
    assert [(r.offset, r.timestamp) for r in found] == [(n, 1_700_000_000_000) for n in (4, 5, 6)]
    assert all(isinstance(r, ConsumerRecord) for r in found) is not asked


def test_version() -> None:
    """The name that is replaced, and what it is called with, are those of this version."""
    assert aiokafka.__version__.startswith("0.14.")


def test_a_process_that_keeps_its_memory_ends_without_a_word() -> None:
    code = "import duckdb; from streams.kafka.light import keep_memory; keep_memory()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
