"""Log: the records of a topic from a place on, read without a group and without a trace."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Literal, NamedTuple, Self

from aiokafka import TopicPartition, errors

from schemas.config import KafkaConfig
from schemas.errors import Unavailable
from streams.kafka.connection import answering, client, hang_up, reach
from streams.kafka.untyped import Consumer

Start = Literal["beginning", "end"] | int
_AT_ONCE: Final = 1000  # records
_PATIENCE_MS: Final = 500  # until a follower looks whether it is to end


class Entry(NamedTuple):
    """A record and its place. `time`: when it was written, microseconds."""

    topic: str
    partition: int
    offset: int
    time: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class Log:
    """Reads topics; a context manager. Of transactions only what was committed is seen."""

    def __init__(self, config: KafkaConfig) -> None:
        self._config = config
        self._consumer: Any = None
        self._ends: dict[Any, int] = {}

    async def __aenter__(self) -> Self:
        await reach(self._config)
        self._consumer = Consumer(
            **client(self._config),
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="none",
        )
        with answering(self._config):
            await self._consumer.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await hang_up(self._consumer)

    async def entries(
        self, topic: str, partitions: int, start: Start, *, follow: bool = False
    ) -> AsyncGenerator[Entry]:
        """The records of a topic, in order within each partition, up to the present end.

        `start`: an offset; below 0 it counts from the end, -10 gives the last ten places of each
        partition. With `follow` it goes on for ever.
        """
        with answering(self._config):
            places = [TopicPartition(topic, number) for number in range(partitions)]
            self._consumer.assign(places)
            first = await self._consumer.beginning_offsets(places)
            ends: Mapping[Any, int] = await self._consumer.end_offsets(places)
            starts = {place: _start(start, first[place], ends[place]) for place in places}
            for place in places:
                self._consumer.seek(place, starts[place])
            open_ = [place for place in places if follow or starts[place] < ends[place]]
            while open_:
                found = await self._consumer.getmany(
                    *open_, timeout_ms=_PATIENCE_MS, max_records=_AT_ONCE
                )
                for place in sorted(found):
                    for record in found[place]:
                        if follow or record.offset < ends[place]:
                            yield _entry(record)
                if not follow:
                    # Behind the last record may lie marks of transactions: positions pass them.
                    positions = [(p, await self._consumer.position(p)) for p in open_]
                    open_ = [p for p, position in positions if position < ends[p]]

    async def at(self, topic: str, partition: int, offset: int) -> Entry | None:
        """The record at an offset; None if it is not there, or no longer.

        What was written after the first call for its partition may be taken for not there.
        """
        place = TopicPartition(topic, partition)
        try:
            with answering(self._config):
                if place not in self._ends:
                    self._ends |= await self._consumer.end_offsets([place])
                if offset >= self._ends[place]:
                    return None
                self._consumer.assign([place])
                self._consumer.seek(place, offset)
                while await self._consumer.position(place) <= offset:
                    found = await self._consumer.getmany(
                        place, timeout_ms=_PATIENCE_MS, max_records=1
                    )
                    for record in found.get(place, ()):
                        return _entry(record) if record.offset == offset else None
        except Unavailable as error:
            if not isinstance(error.__cause__, errors.OffsetOutOfRangeError):
                raise
        return None


def _start(start: Start, first: int, end: int) -> int:
    if start == "beginning":
        return first
    if start == "end":
        return end
    return min(max(start + end if start < 0 else start, first), end)


def _entry(record: Any) -> Entry:  # noqa: ANN401 - a ConsumerRecord
    return Entry(
        record.topic,
        record.partition,
        record.offset,
        record.timestamp * 1000,
        record.key,
        record.value,
        record.headers,
    )
