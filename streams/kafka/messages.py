"""Messages: single messages of topics, each read again from its place, or why it is not there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Iterator
from contextlib import aclosing
from typing import Any, Final, NamedTuple

from aiokafka import TopicPartition

from schemas.config import KafkaConfig
from schemas.errors import Unavailable
from streams.kafka.connection import answering, client, hang_up, reach
from streams.kafka.topics import able
from streams.kafka.untyped import Consumer
from streams.trace import Message

PATIENCE: Final = 30.0  # seconds for a fetch to come further
_POLL_MS: Final = 500
_AT_ONCE: Final = 500  # records of a fetch; a gap of more is jumped over


class Unread(NamedTuple):
    """The topic cannot be read, or is another one by now; `reason` follows its name."""

    reason: str


class Deleted(NamedTuple):
    """The topic has the message no longer, as it may; `reason` follows its name."""

    reason: str


Found = tuple[Message, bytes | Unread | Deleted]


async def messages(config: KafkaConfig, wanted: Collection[Message]) -> AsyncGenerator[Found]:
    """The value of each wanted message, or why there is none; in the order of their places.

    One consumer without a group, and of transactions only what was committed. Unavailable if no
    broker answers.
    """
    await reach(config)
    consumer = Consumer(
        **client(config),
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="none",
    )
    try:
        with answering(config):
            await consumer.start()
            for topic in sorted({one.topic for one in wanted}):
                mine = sorted(one for one in set(wanted) if one.topic == topic)
                async with aclosing(_of_topic(consumer, config, topic, mine)) as found:
                    async for each in found:
                        yield each
    finally:
        await hang_up(consumer)


async def _of_topic(
    consumer: Any,  # noqa: ANN401 - ships no types
    config: KafkaConfig,
    topic: str,
    wanted: list[Message],
) -> AsyncGenerator[Found]:
    try:
        count = (await asyncio.to_thread(able, config, topic, "READ")).partitions
    except Unavailable as error:
        for one in wanted:
            yield one, Unread(f"cannot be read: {error}")
        return
    for number in sorted({one.partition for one in wanted}):
        mine = [one for one in wanted if one.partition == number]
        if number >= count:
            for one in mine:
                yield (
                    one,
                    Unread(f"is not there: the topic has {count} partitions, so it was made anew"),
                )
            continue
        async with aclosing(_of_partition(consumer, mine)) as found:
            async for each in found:
                yield each


async def _of_partition(
    consumer: Any,  # noqa: ANN401 - ships no types
    wanted: list[Message],
) -> AsyncGenerator[Found]:
    """Of the messages of one partition, sorted."""
    place = TopicPartition(wanted[0].topic, wanted[0].partition)
    first: int = (await consumer.beginning_offsets([place]))[place]
    end: int = (await consumer.end_offsets([place]))[place]
    left: dict[int, Message] = {}
    for one in wanted:
        if one.offset < first:
            yield one, Deleted(f"is deleted from the topic, which begins at offset {first}")
        elif one.offset >= end:
            yield (
                one,
                Unread(f"is not there: the topic ends before offset {end}, so it was made anew"),
            )
        else:
            left[one.offset] = one
    consumer.assign([place])
    position = -_AT_ONCE - 1
    while left:
        if min(left) - position > _AT_ONCE:
            position = min(left)
            consumer.seek(place, position)
        async with asyncio.timeout(PATIENCE):
            records, position = await _fetched(consumer, place, position)
        for record in records:
            if (found := left.pop(record.offset, None)) is not None:
                yield found, record.value or b""
        for one in _passed(left, position):
            yield one, Deleted("is deleted from the topic: compacted away")


async def _fetched(
    consumer: Any,  # noqa: ANN401 - ships no types
    place: Any,  # noqa: ANN401 - a TopicPartition
    position: int,
) -> tuple[list[Any], int]:
    """The next records and the position behind them, which may pass places that hold none."""
    while True:
        found = await consumer.getmany(place, timeout_ms=_POLL_MS, max_records=_AT_ONCE)
        now: int = await consumer.position(place)
        if found or now > position:
            return found.get(place, []), now


def _passed(left: dict[int, Message], position: int) -> Iterator[Message]:
    for offset in [offset for offset in left if offset < position]:
        yield left.pop(offset)
