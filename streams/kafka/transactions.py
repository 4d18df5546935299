"""Transactions: the outputs, state and positions of a step, all of them or none.

The order of things, each of which was found by losing records without it: the producer of a new
owner fences the old one before state is read; every send is awaited before the commit, since a
transaction commits although one of its records was rejected; memory counts as saved only behind it.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Iterable, Mapping
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.errors import IllegalOperation, ProducerFenced

from schemas.config import KafkaConfig
from schemas.errors import Unavailable
from streams.kafka.connection import client, hang_up
from streams.kafka.part import Sent, Step
from streams.kafka.untyped import Producer
from streams.kafka.wire import Record

PATIENCE: Final = 60.0  # seconds for a transaction before the stage begins anew
# Positions count as the state topic has them. The group is told so often, for its lag: two more
# requests of a transaction, and a mark in one more partition.
GROUP: Final = 1.0  # seconds
_BATCH: Final = 2**20  # bytes that are handed to a partition at once
_OPEN_MS: Final = 30_000  # after that the brokers abort what a dead worker has left open


class Transactions:
    """One producer under a stable name; one user at a time."""

    def __init__(self, config: KafkaConfig, id_: str, group: str) -> None:
        """`id_` and `group` with the prefix."""
        self._prefix, self._id, self._group = config.prefix, id_, group
        self._told = -math.inf  # when the group was
        self._untold: Mapping[TopicPartition, int] = {}  # positions that were saved since
        self._producer = Producer(
            **client(config),
            transactional_id=id_,
            transaction_timeout_ms=_OPEN_MS,
            linger_ms=0,
            max_batch_size=_BATCH,
            max_request_size=config.message_bytes,
            compression_type=None if config.compression == "none" else config.compression,
        )

    async def start(self) -> None:
        """Fence whoever had this name before; what it had left open is aborted."""
        async with asyncio.timeout(PATIENCE):
            await self._producer.start()

    async def save(self, step: Step) -> None:
        """Save a step. After an error the outcome is unknown until a new producer has started.

        That one aborts what was left open: to abort it here waits, where we are fenced, for ever.
        """
        try:
            async with asyncio.timeout(PATIENCE):
                await self._producer.begin_transaction()
                await self._send_all(step)
                await self._producer.commit_transaction()
        except (ProducerFenced, IllegalOperation) as error:
            # The first send says the one, what follows in the broken transaction the other.
            raise Unavailable(
                f"another worker has taken over {self._id}, or its transaction took too long"
            ) from error

    async def _send_all(self, step: Step) -> None:
        sent = [await send for send in self._sends(step.records)]
        for answer in await asyncio.gather(*sent, return_exceptions=True):
            if isinstance(answer, BaseException):
                raise answer
        if not step.positions:
            return
        self._untold = step.positions
        if not step.records or time.monotonic() - self._told >= GROUP:
            await self._producer.send_offsets_to_transaction(dict(step.positions), self._group)
            self._told, self._untold = time.monotonic(), {}

    async def rest(self) -> None:
        """Tell the group what it was not told: nothing comes at the moment."""
        if self._untold:
            await self.save(Step([], self._untold))

    async def stop(self) -> None:
        """Close, within a bound; its transaction is fenced by whoever comes next."""
        await hang_up(self._producer)

    def _sends(self, records: Iterable[Sent]) -> Iterable[Awaitable[Awaitable[Any]]]:
        """A batch or more for each partition, in the order of its records."""
        of: dict[tuple[str, int], list[Record]] = {}
        for sent in records:
            of.setdefault((sent.topic, sent.partition), []).append(sent.record)
        for (topic, partition), mine in of.items():
            place = TopicPartition(self._prefix + topic, partition)
            batch = self._producer.create_batch()
            for record in mine:
                if not _added(batch, record):
                    yield self._send(batch, place)
                    batch = self._producer.create_batch()
                    _added(batch, record)  # the first of a batch always fits
            yield self._send(batch, place)

    def _send(self, batch: Any, place: TopicPartition) -> Awaitable[Awaitable[Any]]:  # noqa: ANN401
        batch.close()
        sending: Awaitable[Awaitable[Any]] = self._producer.send_batch(
            batch, place.topic, partition=place.partition
        )
        return sending


def _added(batch: Any, record: Record) -> bool:  # noqa: ANN401 - aiokafka's builder has no types
    added = batch.append(
        key=record.key, value=record.value, headers=list(record.headers), timestamp=None
    )
    return added is not None
