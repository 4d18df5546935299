"""Dead letters on a real broker: each message comes back once, as it was, and only where it may."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from unittest.mock import ANY

import pytest
from aiokafka import AIOKafkaProducer
from kafka.structs import TopicPartition

from infra.dev.broker import Broker
from schemas.config import KafkaConfig
from schemas.errors import Unavailable
from schemas.rows import Result
from schemas.topics import deployment
from streams.kafka import wire
from streams.kafka.connection import admin
from streams.kafka.dead_letters import Choice, DeadLetter, Replay, read
from streams.kafka.log import Entry, Log
from streams.kafka.producing import Letter, Producer
from streams.kafka.topics import create

pytestmark = pytest.mark.kafka


@pytest.fixture
def config(broker: Broker, prefix: str) -> KafkaConfig:
    made = KafkaConfig(bootstrap=broker.bootstrap, prefix=prefix, partitions=1)
    client = admin(made)
    create(client, made, deployment(made, 1, ["cloudtrail", "otel"]))
    client.close()
    return made


def letter(
    origin: str, record: bytes, reason: str = "not-json", *, cut: bool = False
) -> wire.Record:
    body = {
        "origin": origin,
        "sha256": sha256(record).hexdigest(),
        "source": "otel" if "otel" in origin else "cloudtrail",
        "reason": reason,
        "detail": "there is no JSON",
        "size": len(record),
    }
    result = Result("reject", origin, 0, "final", body)
    return wire.dead_letter(result, record * wire.RAW_BYTES if cut else record)


async def put(config: KafkaConfig, name: str, records: Sequence[wire.Record]) -> None:
    async with Producer(config, config.prefix + name) as producer:
        await producer.write(
            Letter(record.value or b"", record.key, name, record.headers) for record in records
        )
        await producer.flush()


async def held(config: KafkaConfig, name: str, count: int = 0) -> list[Entry]:
    """What a topic holds, once that is `count`: brokers show a committed record by and by."""
    while True:
        async with Log(config) as log:
            entries = log.entries(config.prefix + name, 1, "beginning")
            found = [entry async for entry in entries]
        if len(found) >= count:
            return found


async def letters(config: KafkaConfig) -> list[DeadLetter | str]:
    async with Log(config) as log:
        return [one async for one in read(log, config)]


async def replayed(
    config: KafkaConfig,
    choice: Choice = Choice(),  # noqa: B008 - immutable
    *,
    again: bool = False,
    dry: bool = False,
) -> tuple[dict[str, int], list[str]]:
    told: list[str] = []
    replay = Replay(config, (), again=again, dry=dry)
    await replay.run(choice, told.append)
    return {name: count for name, count in replay.counts.items() if count}, told


async def test_a_message_comes_back_once_as_it_was(config: KafkaConfig) -> None:
    raw = f"{config.prefix}raw.cloudtrail"
    bad = wire.Record(b"k", b"nonsense", (("h", b"1"),))
    await put(config, "raw.cloudtrail", [wire.Record(None, b"{}"), bad])
    await put(config, "dead-letters", [letter(f"kafka:{raw}/0/1", b"nonsense")])

    assert await replayed(config, dry=True) == ({"replayed": 1}, [f"kafka:{raw}/0/1"])
    assert len(await held(config, "raw.cloudtrail")) == 2
    assert await replayed(config) == ({"replayed": 1}, [f"kafka:{raw}/0/1"])
    *_, back = await held(config, "raw.cloudtrail", 3)
    assert (back.key, back.value) == (b"k", b"nonsense")
    mark = ("barograph-replayed", f"kafka:{raw}/0/1".encode())
    assert tuple(back.headers) == (("h", b"1"), mark)

    assert await replayed(config) == ({"already": 1}, [])
    assert await replayed(config, again=True) == ({"replayed": 1}, [f"kafka:{raw}/0/1"])
    values = [entry.value for entry in await held(config, "raw.cloudtrail", 4)]
    assert values == [b"{}", b"nonsense", b"nonsense", b"nonsense"]
    # Who takes the dead letters as results sees no result in a mark.
    entries = await held(config, "dead-letters", 3)
    kinds = [wire.result_of(e.key, e.value, e.headers, e.time) is not None for e in entries]
    assert kinds == [True, False, False]


async def test_a_message_with_several_bad_records_comes_back_once(config: KafkaConfig) -> None:
    raw = f"{config.prefix}raw.cloudtrail"
    await put(config, "raw.cloudtrail", [wire.Record(None, b"[1, 2]")])
    bad = [letter(f"kafka:{raw}/0/0#{n}", b"%d" % n) for n in (1, 2)]
    await put(config, "dead-letters", bad)
    counts, told = await replayed(config)
    assert (counts, told) == ({"replayed": 1, "already": 1}, [f"kafka:{raw}/0/0"])
    values = [entry.value for entry in await held(config, "raw.cloudtrail", 2)]
    assert values == [b"[1, 2]"] * 2


async def test_what_its_topic_no_longer_holds_comes_from_the_letter(config: KafkaConfig) -> None:
    raw = f"{config.prefix}raw.cloudtrail"
    await put(config, "raw.cloudtrail", [wire.Record(b"k", b"%d" % n) for n in range(3)])
    with await asyncio.to_thread(admin, config) as client:
        client.delete_records({TopicPartition(raw, 0): 2})
    await put(
        config,
        "dead-letters",
        [
            letter(f"kafka:{raw}/0/0", b"\xff0"),
            letter(f"kafka:{raw}/0/1", b"1", cut=True),  # is whole nowhere
            letter(f"kafka:{raw}/0/2", b"other"),  # the topic was made anew
        ],
    )
    counts, told = await replayed(config)
    assert (counts, told) == (
        {"replayed": 2, "lost": 1},
        [f"kafka:{raw}/0/0", f"kafka:{raw}/0/2"],
    )
    entries = await held(config, "raw.cloudtrail", 3)
    assert [entry.value for entry in entries] == [b"2", b"\xff0", b"other"]


async def test_a_letter_leads_no_record_elsewhere(config: KafkaConfig) -> None:
    bad = [
        letter(f"kafka:{config.prefix}alerts/0/0", b"forged"),
        letter("kafka:others/0/0", b"forged"),
        letter("file:x#1", b"from a replay"),
        wire.Record(b"k", b"nonsense", ((wire.SCHEMA, b"reject"),)),
        wire.Record(b"k", b'{"origin": 1}', ((wire.SCHEMA, b"reject"),)),
    ]
    await put(config, "dead-letters", bad)
    assert len(await letters(config)) == 3
    assert await replayed(config) == ({"elsewhere": 3}, [])
    assert await held(config, "alerts") == []


async def test_a_raw_topic_that_is_gone(config: KafkaConfig) -> None:
    await put(config, "dead-letters", [letter(f"kafka:{config.prefix}raw.gone/0/0", b"x")])
    with pytest.raises(Unavailable, match=r"raw\.gone is missing"):
        await replayed(config)


async def test_only_those_of_a_source_or_reason(config: KafkaConfig) -> None:
    trail, otel = f"{config.prefix}raw.cloudtrail", f"{config.prefix}raw.otel"
    bad = [
        letter(f"kafka:{trail}/0/90", b"a", "no-time"),
        letter(f"kafka:{otel}/0/91", b"b", "no-time"),
        letter(f"kafka:{otel}/0/92", b"c", "too-deep"),
    ]
    await put(config, "dead-letters", bad)
    assert (await replayed(config, Choice("no-time", "otel")))[1] == [f"kafka:{otel}/0/91"]
    assert (await replayed(config, Choice(source="otel")))[1] == [f"kafka:{otel}/0/92"]
    assert (await replayed(config, Choice("no-time")))[1] == [f"kafka:{trail}/0/90"]


async def test_more_than_one_transaction(config: KafkaConfig) -> None:
    raw = f"{config.prefix}raw.otel"
    await put(config, "dead-letters", [letter(f"kafka:{raw}/0/{n}", b"%d" % n) for n in range(250)])
    assert (await replayed(config))[0] == {"replayed": 250}
    assert (await replayed(config))[0] == {"already": 250}
    values = [entry.value for entry in await held(config, "raw.otel", 250)]
    assert values == [b"%d" % n for n in range(250)]


async def test_another_replay_takes_over(config: KafkaConfig) -> None:
    raw = f"{config.prefix}raw.otel"
    bad = [letter(f"kafka:{raw}/0/{n}", b"%d" % n) for n in range(250)]
    await put(config, "dead-letters", bad)
    told: list[str] = []

    async def overtake() -> None:
        id_ = f"{config.prefix}dead-letters-replay"
        async with AIOKafkaProducer(bootstrap_servers=config.bootstrap, transactional_id=id_):
            pass

    def tell(origin: str) -> None:
        told.append(origin)
        if len(told) == 100:  # its first transaction is committed
            with ThreadPoolExecutor(1) as pool:
                pool.submit(asyncio.run, overtake()).result()

    # Its batches are told as well, in vain.
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    with pytest.raises(Unavailable, match="another dead-letters replay took over"):
        await Replay(config, (), again=False, dry=False).run(Choice(), tell)
    assert len(told) == 100
    back = [entry.value for entry in await held(config, "raw.otel", len(told))]
    assert back == [b"%d" % n for n in range(len(told))]
    assert await replayed(config) == ({"already": len(told), "replayed": 250 - len(told)}, ANY)
    back = [entry.value for entry in await held(config, "raw.otel", 250)]
    assert back == [b"%d" % n for n in range(250)]
