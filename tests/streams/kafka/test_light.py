"""Light records on a real broker: as many and the same, for who asks; others see no difference."""

from __future__ import annotations

import asyncio
import socket
import struct
import subprocess
import sys
import weakref
from typing import Any

import aiokafka
import aiokafka.conn
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder

from infra.dev.broker import Broker
from schemas.config import KafkaConfig
from streams.kafka.connection import admin
from streams.kafka.light import as_decoded

pytestmark = pytest.mark.kafka

reading: Any = vars(aiokafka.conn.AIOKafkaConnection)["_read"].__func__  # ours

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


@pytest.mark.parametrize("asked", [True, False])
async def test_steps_that_cut_batches(
    broker: Broker, place: TopicPartition, *, asked: bool
) -> None:
    async with AIOKafkaProducer(**broker.client()) as producer:
        for _ in range(2):
            batch: Any = producer.create_batch()
            for _ in range(5):
                batch.append(key=None, value=b"raw", timestamp=None)
            await (await producer.send_batch(batch, place.topic, partition=place.partition))
    options: dict[str, Any] = {"key_deserializer": as_decoded} if asked else {}

    found: list[tuple[list[int], int]] = []
    async with AIOKafkaConsumer(**broker.client(), **options) as consumer:
        consumer.assign([place])
        consumer.seek(place, 2)
        while await consumer.position(place) < 10:
            records = (await consumer.getmany(place, timeout_ms=500, max_records=3)).get(place)
            if records:
                found.append(([r.offset for r in records], await consumer.position(place)))
        consumer.seek(place, 9)
        again = await consumer.getmany(place, timeout_ms=5_000, max_records=3)

    assert found == [([2, 3, 4], 5), ([5, 6, 7], 8), ([8, 9], 10)]
    assert [r.offset for r in again[place]] == [9]


def unpacked(data: bytes, *, asked: bool) -> list[tuple[int, bytes | None]]:
    """What a consumer makes of these batches."""
    place, deserializer = TopicPartition("x", 0), as_decoded if asked else None
    checked, committed = True, fetcher.READ_COMMITTED
    read: Any = fetcher.PartitionRecords(
        place, fetcher.MemoryRecords(data), [], 0, deserializer, None, checked, committed
    )
    result: Any = fetcher.FetchResult(
        place, assignment=Assignment(), partition_records=read, backoff=0
    )
    return [(r.offset, r.value) for r in result.getall()]


class Assignment:
    """Of one partition that begins at 0."""

    active, paused, position = True, False, 0

    def state_value(self, _: TopicPartition) -> Assignment:
        return self

    def consumed_to(self, position: int) -> None:
        self.position = position


def batch(first: int, *values: bytes, codec: int = 0) -> bytes:
    builder = DefaultRecordBatchBuilder(2, codec, 0, -1, -1, -1, 2**20)
    for place, value in enumerate(values):
        builder.append(place, 0, None, value, [])
    return first.to_bytes(8) + bytes(builder.build())[8:]


@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.parametrize("codec", [0, 1, 2, 3, 4])
def test_a_damaged_batch_is_refused(codec: int, *, asked: bool) -> None:
    """Whichever byte it is that its checksum is of."""
    good = batch(0, b"one", b"two") + batch(2, b"three", b"four", codec=codec)
    assert unpacked(good, asked=asked) == [(0, b"one"), (1, b"two"), (2, b"three"), (3, b"four")]
    begin = len(batch(0, b"one", b"two"))

    for place in (*range(begin + 17, begin + 23), len(good) - 1):
        bad = good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :]
        with pytest.raises(CorruptRecordException, match="Invalid CRC"):
            unpacked(bad, asked=asked)


@pytest.mark.parametrize("asked", [True, False])
def test_an_old_format(*, asked: bool) -> None:
    builder = LegacyRecordBatchBuilder(1, 0, 2**20)
    builder.append(0, 0, None, b"old")
    data = bytes(builder.build())

    assert unpacked(data, asked=asked) == [(0, b"old")]
    with pytest.raises(CorruptRecordException, match="Invalid CRC"):
        unpacked(data[:-1] + b"?", asked=asked)


def test_version() -> None:
    """The name that is replaced, and what it is called with, are those of this version."""
    assert aiokafka.__version__.startswith("0.14.")


def test_a_process_that_keeps_its_memory_ends_without_a_word() -> None:
    code = "import duckdb; from streams.kafka.light import keep_memory; keep_memory()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


class Connection:
    """What reads answers of it, through the protocol of aiokafka's connections, which is ours."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._reader = asyncio.StreamReader()
        protocol: Any = vars(aiokafka.conn)["AIOKafkaProtocol"]
        self._protocol = protocol(loop.create_future(), self._reader, loop=loop)
        self.answers: list[bytes] = []

    async def to(self, said: bytes, pieces: int, *, resets: bool = False) -> None:
        """Take what a peer says in such pieces before it hangs up. Raises what ends reading."""

        async def peer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for begin in range(0, len(said), pieces):
                writer.write(said[begin : begin + pieces])
                await writer.drain()
                await asyncio.sleep(0)
            if resets:
                linger: socket.socket = writer.get_extra_info("socket")
                linger.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.close()

        async with await asyncio.start_server(peer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_connection(lambda: self._protocol, "127.0.0.1", port)
            try:
                await asyncio.wait_for(reading(weakref.ref(self)), 20)
            finally:
                transport.close()

    def _handle_frame(self, answer: bytes) -> None:
        self.answers.append(answer)


def framed(answers: list[bytes]) -> bytes:
    return b"".join(len(one).to_bytes(4) + one for one in answers)


@pytest.mark.parametrize("pieces", [1, 3, 4, 5, 100])
@pytest.mark.parametrize("missing", [0, 1, 6])
async def test_answers_are_read_however_they_come(pieces: int, missing: int) -> None:
    answers = [b"one", b"", b"three", b"x" * 50]
    said, connection = framed(answers), Connection()

    with pytest.raises(asyncio.IncompleteReadError):
        await connection.to(said[: len(said) - missing], pieces)

    assert connection.answers == (answers if not missing else answers[:3])


LARGE = bytes(range(256)) * 4_000


@pytest.mark.parametrize("pieces", [10_000, 65_536, 1_000_000, 10_000_000])
@pytest.mark.parametrize("resets", [True, False])
async def test_large_answers_lie_at_once_where_they_stay(pieces: int, *, resets: bool) -> None:
    answers = [LARGE, b"small", LARGE + b"more", b"", b"x" * 65_536, b"end"]
    connection = Connection()
    missing = len(LARGE) // 2

    with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
        await connection.to(framed([*answers, LARGE])[:-missing], pieces, resets=resets)

    # Of a connection that is reset the kernel may forget what nobody took yet.
    assert connection.answers == answers[: len(connection.answers)]
    assert resets or connection.answers == answers


async def test_who_reads_does_not_keep_a_connection() -> None:
    connection = Connection()
    gone = weakref.ref(connection)
    del connection

    await reading(gone)
    assert gone() is None
