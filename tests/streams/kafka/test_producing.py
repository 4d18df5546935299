"""Producing on a real broker: all is there, and a refused record is named."""

from __future__ import annotations

import pytest

from infra.dev.broker import Broker
from schemas.config import KafkaConfig
from schemas.errors import Mistake
from streams.kafka.connection import admin
from streams.kafka.log import Entry, Log
from streams.kafka.producing import Compression, Letter, Producer

pytestmark = pytest.mark.kafka


@pytest.fixture
def config(broker: Broker, prefix: str) -> KafkaConfig:
    return KafkaConfig(bootstrap=broker.bootstrap, prefix=prefix)


@pytest.fixture
def topic(broker: Broker, prefix: str) -> str:
    name = f"{prefix}raw.otel"
    settings = {"num_partitions": 2, "configs": {"max.message.bytes": "600000"}}
    with admin(KafkaConfig(bootstrap=broker.bootstrap)) as client:
        client.create_topics({name: settings}, wait_for_metadata=True)
    return name


async def held(config: KafkaConfig, topic: str) -> list[Entry]:
    async with Log(config) as log:
        return [entry async for entry in log.entries(topic, 2, "beginning")]


async def both(producer: Producer, letter: Letter) -> None:
    await producer.write([letter])
    await producer.flush()


@pytest.mark.parametrize("compression", ["none", "gzip", "lz4", "snappy", "zstd"])
async def test_each_is_written_once_in_the_order_of_its_key(
    config: KafkaConfig, topic: str, compression: Compression
) -> None:
    letters = [Letter(b"%d" % n, b"%d" % (n % 7), f"x#{n}") for n in range(1000)]
    async with Producer(config, topic, compression) as producer:
        await producer.write(letters[:10])
        await producer.write(letters[10:])
        await producer.flush()
        assert producer.written == 1000
    entries = await held(config, topic)
    for key in range(7):
        values = [entry.value for entry in entries if entry.key == b"%d" % key]
        assert values == [b"%d" % n for n in range(key, 1000, 7)]


async def test_headers_come_along(config: KafkaConfig, topic: str) -> None:
    async with Producer(config, topic) as producer:
        await producer.write([Letter(b"{}", None, "x#1", [("h", b"1")])])
        await producer.flush()
    (entry,) = await held(config, topic)
    assert (entry.key, entry.value, entry.headers) == (None, b"{}", (("h", b"1"),))


@pytest.mark.parametrize("size", [700_000, 9_000_000])  # for the topic, and for our own bound
async def test_a_record_that_is_too_large_is_named(
    config: KafkaConfig, topic: str, size: int
) -> None:
    small, large = Letter(b"{}", b"k", "x#1"), Letter(b"x" * size, b"k", "x#2")
    said = rf"^x#2 has {size} bytes, more than topic {topic} takes; .*; 1 others were written"
    async with Producer(config, topic, "none") as producer:
        await producer.write([small])
        await producer.flush()
        with pytest.raises(Mistake, match=said):
            await both(producer, large)
    assert [entry.value for entry in await held(config, topic)] == [b"{}"]
