"""Single messages of a topic: near ones, far ones, and places that hold none."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import pytest

from infra.dev.broker import Broker
from schemas.config import KafkaConfig
from schemas.errors import Unavailable
from schemas.topics import HISTORY, deployment
from streams.kafka.connection import admin
from streams.kafka.messages import Deleted, Found, messages
from streams.kafka.part import Sent, Step
from streams.kafka.topics import create
from streams.kafka.transactions import Transactions
from streams.kafka.wire import Record
from streams.trace import Message


async def read(config: KafkaConfig, wanted: Collection[Message]) -> list[Found]:
    return [one async for one in messages(config, wanted)]


@pytest.mark.kafka
def test_near_and_far_and_never_committed(broker: Broker, prefix: str) -> None:
    config = KafkaConfig(bootstrap=broker.bootstrap, prefix=prefix, partitions=2)
    with admin(config) as client:
        create(client, config, [p for p in deployment(config, 0) if p.name.endswith(HISTORY)])
    topic = f"{prefix}{HISTORY}"

    async def written() -> None:
        transactions = Transactions(config, f"{prefix}x", f"{prefix}x")
        await transactions.start()
        for values in (["a"], [str(n) for n in range(2000)]):
            sent = [Sent(HISTORY, 1, Record(b"k", value.encode())) for value in values]
            await transactions.save(Step(sent, {}))
        await transactions.save(Step([Sent(HISTORY, 0, Record(None, None))], {}))
        await transactions.stop()

    asyncio.run(written())
    # Behind the first record lies the mark of its transaction.
    near, mark, far, last = (Message(topic, 1, offset) for offset in (0, 1, 1502, 2001))
    empty = Message(topic, 0, 0)
    assert asyncio.run(read(config, [last, far, mark, near, empty])) == [
        (empty, b""),
        (near, b"a"),
        (mark, Deleted("is deleted from the topic: compacted away")),
        (far, b"1500"),
        (last, b"1999"),
    ]


async def test_no_broker() -> None:
    with pytest.raises(Unavailable, match="is not to be reached"):
        await read(KafkaConfig(bootstrap="127.0.0.1:1"), [Message("t", 0, 0)])
