"""Light: what a worker does so that a record costs it little before anybody looks at it."""

from __future__ import annotations

import asyncio
import atexit
import ctypes
import gc
import io
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, cast

from aiokafka import conn
from aiokafka.consumer import fetcher
from crc32c import crc32c

# Of glibc's malloc, as in its malloc.h. By default each answer of a broker is mapped anew, and the
# kernel clears all its pages: a quarter of what a consumer costs.
_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1
_MAPPED: Final = 32 * 2**20  # bytes from which on a block is mapped; the most that glibc takes
FETCH_BYTES: Final = _MAPPED // 2  # of one answer of a broker, so that it comes from the heap
PART_BYTES: Final = FETCH_BYTES // 4  # of one partition in it: a step of some thousands of records
# Of one partition behind ingest: each step folds once more what came since, so there are fewer.
ROWS_BYTES: Final = FETCH_BYTES // 2
_KEPT: Final = 256 * 2**20  # free bytes at the end of the heap that are not given back
_HEAD: Final = 64 * 2**10  # bytes that are taken at once before it is known how long an answer is

_CONN: Final = cast("Any", conn)  # aiokafka ships no types
_FETCHER: Final = cast("Any", fetcher)
# Of Python's collector: new containers until it looks for cycles among them. A batch at hand is
# some hundred thousand, and records hold no cycles: each look would walk all of them.
_YOUNG, _OLDER, _OLDEST = 1_000_000, 20, 100


if TYPE_CHECKING:
    _Protocol = asyncio.StreamReaderProtocol
else:
    _Protocol = _CONN.AIOKafkaProtocol


def as_decoded(key: bytes | None) -> bytes | None:
    """The `key_deserializer` of consumers that take records as the decoder of batches gives them.

    Such a record has offset, timestamp, key, value and headers; a ConsumerRecord, as others get it,
    also has its topic, partition, sizes and checksum. Batches are unpacked whole, and the processor
    itself works out their checksums: a record of 1 KB costs a third of what it does else. Such
    consumers are asked with `getmany` alone.
    """
    return key


class _Records(list[Any]):
    """The records of a batch, in order; to aiokafka one record, with the offset of the last."""

    @property
    def offset(self) -> int:
        last: int = self[-1].offset
        return last


class _Batch:
    """A batch of these bytes that gives all its records at once, once its checksum is right."""

    def __init__(self, batch: Any, data: memoryview) -> None:  # noqa: ANN401 - of two formats
        self._batch, self._data = batch, data

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - of whatever aiokafka asks
        return getattr(self._batch, name)

    def __next__(self) -> Any:  # noqa: ANN401 - the mark of a transaction
        return next(self._batch)

    def __iter__(self) -> Iterator[_Records]:
        records = _Records(self._batch)
        return iter((records,) if records else ())

    def validate_crc(self) -> bool:
        if self._data[16] < 2:  # formats with another checksum
            return bool(self._batch.validate_crc())
        return bool(crc32c(self._data[21:]) == self.crc)  # of all that lies behind it


class _Answer:
    """The batches of one partition that a broker sent; `light`: each gives its records at once."""

    light = False

    def __init__(self, data: bytes) -> None:
        batches = _BATCHES(data)
        self.has_next, self.size_in_bytes = batches.has_next, batches.size_in_bytes
        self._next, self._data = batches.next_batch, memoryview(data)

    def next_batch(self) -> Any:  # noqa: ANN401 - of two formats
        batch = self._next()
        if not self.light:
            return batch
        end = 12 + int.from_bytes(self._data[8:12])  # its length, which counts what lies behind it
        data, self._data = self._data[:end], self._data[end:]
        return _Batch(batch, data)


class _Incoming(_Protocol, asyncio.BufferedProtocol):
    """What a broker says, into the reader of its connection or where a large answer is to lie.

    The reader alone would copy such an answer three times until it is whole.
    """

    _rest = memoryview(b"")
    _filled: asyncio.Future[None]
    _ended: Exception | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._head = memoryview(bytearray(_HEAD))
        super().connection_made(transport)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        return self._rest or self._head

    def buffer_updated(self, nbytes: int) -> None:
        if not self._rest:
            self.data_received(bytes(self._head[:nbytes]))
            return
        self._rest = self._rest[nbytes:]
        if not self._rest and not self._filled.done():
            self._filled.set_result(None)

    def eof_received(self) -> bool | None:
        self._end(asyncio.IncompleteReadError(b"", len(self._rest)))
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc or asyncio.IncompleteReadError(b"", len(self._rest)))
        super().connection_lost(exc)

    async def fill(self, place: memoryview) -> None:
        """Wait until what comes in has filled the place. Raises what ends the connection."""
        if self._ended is not None:
            raise self._ended
        self._rest, self._filled = place, asyncio.get_running_loop().create_future()
        try:
            await self._filled
        finally:
            self._rest = _Incoming._rest

    def _end(self, error: Exception) -> None:
        self._ended = error
        if self._rest and not self._filled.done():
            self._filled.set_exception(error)


# These four as the methods that they replace, which have no types.


async def _read(connection: Any) -> None:  # noqa: ANN401
    """Take answers as they come in, each as its bytes.

    `connection` refers to one weakly, as who reads must not keep it.
    """
    held = connection()
    if held is None:
        return
    reader, incoming = held._reader, held._protocol  # noqa: SLF001
    while True:
        del held
        size = int.from_bytes(await reader.readexactly(4))
        answer = await _whole(reader, incoming, size)
        held = connection()
        if held is None:
            return
        held._handle_frame(answer)  # noqa: SLF001


async def _whole(reader: asyncio.StreamReader, incoming: _Incoming, size: int) -> bytes:
    head = await reader.read(size)
    if len(head) == size:
        return head
    answer = io.BytesIO(bytes(size))
    with answer.getbuffer() as place:
        place[: len(head)] = head
        await incoming.fill(place[len(head) :])
    return answer.getvalue()


def _unpacked(self: Any) -> Any:  # noqa: ANN401
    self._records.light = self._key_deserializer is as_decoded
    return _usual_unpacked(self)


def _record(self: Any, tp: Any, record: Any) -> Any:  # noqa: ANN401
    if not isinstance(record, _Records):
        return _usual_record(self, tp, record)
    begin = self.next_fetch_offset
    if record[0].offset >= begin:
        return record
    return [one for one in record if one.offset >= begin]  # brokers send whole batches


def _all(self: Any, max_records: int | None = None) -> Any:  # noqa: ANN401
    batches = self._partition_records
    if batches is None or not batches._records.light:  # noqa: SLF001
        return _usual_all(self, max_records)
    if not self.check_assignment(self._topic_partition):
        return []
    found, most = self.__dict__.pop("rest", []), max_records or sys.maxsize
    while len(found) < most:
        records = next(batches, None)
        if records is None:
            self._update_position()
            self._partition_records = None
            return found
        found += records
    found, self.rest = found[:most], found[most:]
    batches.next_fetch_offset = found[-1].offset + 1
    self._update_position()
    return found


# There is no other way in: each answer of a broker is read and unpacked by classes that aiokafka
# names itself. tests/streams/kafka/test_light.py holds that who does not ask sees no difference.
_BATCHES: Final = _FETCHER.MemoryRecords
_FETCHER.MemoryRecords = _Answer
_CONN.AIOKafkaProtocol = _Incoming
_CONN.AIOKafkaConnection._read = staticmethod(_read)  # noqa: SLF001
_usual_unpacked: Final = _FETCHER.PartitionRecords._unpack_records  # noqa: SLF001
_FETCHER.PartitionRecords._unpack_records = _unpacked  # noqa: SLF001
_usual_record: Final = _FETCHER.PartitionRecords._consumer_record  # noqa: SLF001
_FETCHER.PartitionRecords._consumer_record = _record  # noqa: SLF001
_usual_all: Final = _FETCHER.FetchResult.getall
_FETCHER.FetchResult.getall = _all


def keep_memory() -> None:
    """Let the heap of this process keep what it has, and the collector pass over it.

    Of the heap does nothing where there is no glibc.
    """
    gc.collect()
    gc.freeze()  # rules and modules stay
    atexit.register(gc.unfreeze)  # else DuckDB tells at the end of all that was never collected
    gc.set_threshold(_YOUNG, _OLDER, _OLDEST)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _MAPPED)
        mallopt(_TRIM_THRESHOLD, _KEPT)
