"""Partitions that catch up go side by side: by the rule, and by what a real worker saved."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import NewTopic
from kafka.structs import TopicPartition

from infra.dev.broker import Broker
from schemas.times import BEGINNING, END, HOUR, rfc3339
from schemas.times import parse as time_of
from streams.kafka.alignment import AHEAD, Standing, held
from streams.kafka.raw_part import progress_of
from tests.streams.kafka.site import CONFIG, command

NOW = time_of("2026-03-02T00:00:00Z")
BATCH = 50
SPAN = 100 * HOUR  # of both partitions
SHORT, LONG = 300, 3_000  # records in them


@pytest.mark.parametrize(
    ("mine", "others", "expected"),
    [
        pytest.param((NOW, 900), [], False, id="alone"),
        pytest.param((NOW, 900), [(NOW - AHEAD - 1, 1)], True, id="ahead"),
        pytest.param((NOW, 900), [(NOW - AHEAD, 1)], False, id="not far enough"),
        pytest.param((NOW, 900), [(NOW + HOUR, 9), (NOW - HOUR, 9)], True, id="ahead of one"),
        pytest.param((NOW, 900), [(NOW - HOUR, 0)], False, id="of one that has read all"),
        pytest.param((NOW, 900), [(BEGINNING, 5)], True, id="of one that has read nothing"),
        pytest.param((NOW, BATCH - 1), [(NOW - HOUR, 9)], False, id="what comes now is read"),
        pytest.param((NOW, BATCH), [(NOW - HOUR, 9)], True, id="a whole batch"),
        pytest.param((BEGINNING, 900), [(NOW, 9)], False, id="behind all"),
        pytest.param((END, 0), [(NOW, 9)], False, id="over"),
    ],
)
def test_who_waits(
    mine: tuple[int, int],
    others: list[tuple[int, int]],
    expected: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    assert held(Standing(*mine), (Standing(*one) for one in others), BATCH) is expected


def test_one_of_those_that_have_something_to_read_always_goes_on() -> None:
    standings = [Standing(NOW + n * HOUR, 900) for n in (3, 1, 1, 2)]
    waits = [
        held(one, (other for other in standings if other is not one), BATCH) for one in standings
    ]
    assert waits == [True, False, False, True]


@pytest.mark.kafka
def test_a_short_partition_does_not_run_ahead_of_a_long_one(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    config = tmp_path / "worker.toml"
    place = {"data": tmp_path / "data", "bootstrap": broker.bootstrap, "prefix": prefix}
    config.write_text(CONFIG.format(**place, partitions=1, batch=BATCH))
    topic = f"{prefix}raw.cloudtrail"
    filled(broker, topic)
    command(config, "topics", "create")
    command(config, "run", "--until", "2026-03-07T00:00:00Z")
    read = {f"{topic}/0": 0, f"{topic}/1": 0}
    met = []
    for name, count in saved(broker, f"{prefix}ingest-state"):
        read[name] = count
        if name == f"{topic}/0":
            met.append((count, read[f"{topic}/1"]))
    assert read == {f"{topic}/0": SHORT, f"{topic}/1": LONG}
    # Each whole batch of the short one, a sixth of the time, begins when the long one has come as
    # far, but for the batch that it is still saving.
    begins = [0, *(short for short, _ in met)]
    for begin, (_, long) in zip(begins, met, strict=False):
        if SHORT - begin >= BATCH:
            assert (long + BATCH) / LONG >= begin / SHORT - 0.01, met


def filled(broker: Broker, topic: str) -> None:
    """Make the topic with two partitions of the same hours: few records, and many."""
    admin: Any = KafkaAdminClient(**broker.client())
    with closing(admin):
        admin.create_topics([NewTopic(topic, 2, 1)])
    producer: Any = KafkaProducer(**broker.client())
    with closing(producer):
        for partition, count in enumerate((SHORT, LONG)):
            for number in range(count):
                time = rfc3339(NOW + SPAN * number // count)
                producer.send(topic, call(f"{partition}-{number}", time), partition=partition)


def call(name: str, time: str) -> bytes:
    return orjson.dumps(
        {
            "eventID": name,
            "eventTime": time,
            "eventName": "ListBuckets",
            "eventSource": "s3.amazonaws.com",
            "userIdentity": {"type": "Root"},
        }
    )


def saved(broker: Broker, topic: str) -> list[tuple[str, int]]:
    """What transactions said of raw partitions, in order: the name and how much was read of it."""
    consumer: Any = KafkaConsumer(**broker.client(), isolation_level="read_committed")
    found: list[tuple[str, int]] = []
    with closing(consumer):
        place = TopicPartition(topic, 0)
        consumer.assign([place])
        consumer.seek_to_beginning()
        end = consumer.end_offsets([place])[place]
        while consumer.position(place) < end:
            for record in consumer.poll(200).get(place, []):
                found += [
                    (n, one.read) for n, one in progress_of({record.key: record.value}).items()
                ]
    return found
