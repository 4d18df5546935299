"""What can be wrong around a worker, one thing at a time, and what comes of it."""

from __future__ import annotations

import json
import signal
import subprocess
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, cast
from urllib.request import urlopen

import kafka
import pytest

from infra.dev.broker import Broker
from schemas.rows import Tick
from streams.declared import DECLARED
from streams.kafka import wire
from streams.topology import partition_of
from tests.infra.service.running import eventually
from tests.streams.kafka.chaos import UNTIL, Worker
from tests.streams.kafka.site import SOURCES, Site, command, line
from tests.streams.kafka.verifier import Story

_KAFKA: Final = cast("Any", kafka)  # ships no types
pytestmark = pytest.mark.kafka

CALL: Final = {
    "eventVersion": "1.11",
    "eventTime": "2026-03-02T11:57:24Z",
    "eventSource": "bedrock.amazonaws.com",
    "eventName": "Converse",
    "awsRegion": "eu-central-1",
    "eventID": "59ed412f-f1cc-ef8c-0d0d-02b54b4499bd",
    "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/example"},
    "requestParameters": {"modelId": "amazon.nova-pro-v1:0"},
}


@pytest.fixture
def site(broker: Broker, prefix: str, tmp_path: Path) -> Site:
    found = Site(broker, prefix, 2, tmp_path)
    found.create()
    return found


@contextmanager
def working(config: Path) -> Generator[Worker]:
    worker = Worker(config)
    try:
        yield worker
    finally:
        worker.send(signal.SIGKILL)


def waiting(worker: Worker) -> str:
    """Why a worker tries again, as /readyz says."""
    eventually(lambda: any("tries again" in reason for reason in worker.reasons() or ()))
    reasons = worker.reasons()
    assert reasons
    return reasons[0]


def said(worker: Worker, what: str) -> set[str]:
    """The stages that say it."""
    return {one.partition(": ")[0] for one in worker.reasons() or () if what in one}


def refused(config: Path, code: int = 2) -> str:
    """The one sentence with which a worker gives up."""
    worker = Worker(config)
    assert worker.process.wait(60) == code
    eventually(lambda: not worker.said or not worker.said[-1].startswith("barograph: http"))
    return worker.said[-1]


def written(site: Site, topic: str, values: Sequence[bytes]) -> None:
    producer = _KAFKA.KafkaProducer(
        bootstrap_servers=site.broker.bootstrap, max_request_size=8 * 2**20
    )
    with closing(producer):
        for value in values:
            producer.send(f"{site.prefix}{topic}", value=value, partition=0).get(timeout=30)


def added(config: Path, text: str) -> Path:
    config.write_text(config.read_text() + text)
    return config


def test_a_broker_that_is_away_is_waited_for_and_said(tmp_path: Path) -> None:
    broker = Broker(tmp_path / "kafka")
    broker.start()
    site = Site(broker, "away.", 1, tmp_path)
    site.create()
    broker.stop()
    try:
        with working(site.config("worker")) as worker:
            assert broker.bootstrap in waiting(worker)
            broker.start()
            eventually(lambda: worker.ready is not None)
            broker.stop()
            # All stages say so, and those too that have nothing to do.
            away = f"the Kafka broker at {broker.bootstrap} is not to be reached"
            stages = {"ingest", "habits", "correlate-1", "observe", "inventory", "attach", "assess"}
            eventually(lambda: said(worker, away) == stages)
            broker.start()
            eventually(lambda: worker.reasons() == [])
    finally:
        broker.stop()


def test_a_missing_topic_is_named(broker: Broker, prefix: str, tmp_path: Path) -> None:
    sentence = refused(Site(broker, prefix, 1, tmp_path).config("worker"))
    assert sentence == (
        f"barograph: the topic {prefix}habits is not there, or may not be seen; run `barograph"
        " topics create`, or `barograph topics check` for all that is missing\n"
    )


def test_another_number_of_partitions_is_refused(site: Site) -> None:
    sentence = refused(site._replace(partitions=3).config("worker"))
    assert sentence == (
        f"barograph: the topic {site.prefix}habits has 2 partitions and needs 3; set"
        " kafka.partitions to what the topics have, or use a new kafka.prefix\n"
    )


def test_a_worker_with_other_rules_is_refused_while_one_runs(site: Site) -> None:
    with working(site.config("first")) as worker:
        eventually(lambda: worker.ready is not None)
        other = added(site.config("second"), "[rules]\nbuiltin = false\n")
        rule = site.folder / "answered.yml"
        rule.write_text(
            "title: A model answered\nname: answered\nlevel: high\n"
            "logsource: {product: barograph, service: otel}\n"
            "detection: {s: {gen_ai.operation.name: chat}, condition: s}\n"
        )
        added(other, f'paths = ["{rule}"]\n')
        assert refused(other) == (
            "barograph: 1 workers run with other rules; give this one the same, or stop them all"
            " before the first one starts with the new\n"
        )
        assert worker.running
        assert worker.reasons() == []


def test_a_wrong_password_is_said(secure_broker: Broker, tmp_path: Path) -> None:
    config = Site(secure_broker, "secret.", 1, tmp_path).config("worker")
    text = config.read_text().replace(
        "[kafka]",
        f'[kafka]\ntls = true\nca = "{secure_broker.ca}"\nusername = "app"\npassword = "not-it"',
    )
    config.write_text(text)
    with working(config) as worker:
        reason = waiting(worker)
    assert "refuses the user app with this password; mend kafka.username" in reason
    assert "not-it" not in reason


def test_what_cannot_be_read_goes_to_the_dead_letters_and_the_rest_goes_on(site: Site) -> None:
    good = json.dumps(CALL).encode()
    deep = b"[" * 5_000 + b"]" * 5_000
    written(site, "raw.cloudtrail", [good, b"\xff\xfe\x00", b"", deep, b"null", b"42"])
    last = json.dumps(CALL | {"eventID": "59ed412f-f1cc-ef8c-0d0d-02b54b4499be"}).encode()
    written(site, "raw.cloudtrail", [last])
    config = site.config("worker")
    command(config, "run", "--until", UNTIL)
    story = Story(site.broker.bootstrap, site.prefix)
    assert story.unread == 0
    assert Counter(key for (topic, key, _) in story.once if topic.startswith("dead-letters")) == {
        f"kafka:raw.cloudtrail/0/{offset}": 1 for offset in (1, 2, 3, 4, 5)
    }
    assert sum(count for (topic, *_), count in story.once.items() if topic == "history event") == 2


def strange(key: str, time: int) -> wire.Record:
    """A row as somebody else may write it: well-formed, and not ours."""
    value = f'{{"level": 0, "time": {time}, "id": "x", "kind": "asset", "body": {{}}}}'
    return wire.Record(key.encode(), value.encode(), ((wire.SCHEMA, b"row"),))


def test_rows_that_no_stage_of_ours_writes_are_refused_and_the_stages_go_on(site: Site) -> None:
    """Each of them ended life after life of its stage."""
    now, later = 1_772_452_644_000_000, 1_800_000_000_000_000
    (key, *_), (other, *_) = (
        [k for k in "abcdefgh" if partition_of(k, 2) == place] for place in (0, 1)
    )
    inputs = [f"{site.prefix}raw.{source}/{n}" for source in SOURCES.values() for n in (0, 1)]
    told = [wire.tick(Tick(name, 0, now, now)) for name in (DECLARED, *inputs)]
    with working(site.config("worker")) as worker:
        eventually(lambda: worker.ready is not None)
        put(site, "facts", [*told, strange(key, -1), strange(key, 10**30), strange(key, later)])
        put(site, "inventory", [strange("estate", later)])
        put(site, "habits", [strange("no JSON", later), strange("[]", later)])
        put(site, "assess", [strange(other, later)])
        eventually(lambda: metric(worker, "refused_records") == 7)
        assert metric(worker, "beginnings") == metric(worker, "rebalances")
        assert worker.reasons() == []
    told_of = subprocess.run(
        line(site.config("list"), "dead-letters", "list", "--json"),
        capture_output=True,
        check=True,
    )
    found = {
        (one["source"], one["reason"]): one["count"] for one in json.loads(told_of.stdout)["counts"]
    }
    assert found == {
        ("unknown", "behind-watermark"): 1,
        ("unknown", "wrong-shape"): 3,
        ("unknown", "defect"): 2,
        ("unknown", "wrong-partition"): 1,
    }


def put(site: Site, topic: str, records: Sequence[wire.Record]) -> None:
    producer = _KAFKA.KafkaProducer(bootstrap_servers=site.broker.bootstrap)
    with closing(producer):
        for record in records:
            sending = producer.send(
                f"{site.prefix}{topic}", record.value, record.key, list(record.headers), 0
            )
            sending.get(timeout=30)


def metric(worker: Worker, name: str) -> float:
    """What all stages of a worker have counted."""
    with urlopen(worker.url.replace("readyz", "metrics"), timeout=5) as answer:  # noqa: S310 - ours
        lines = answer.read().decode().splitlines()
    counted = f"barograph_stage_{name}_total"
    return sum(float(one.rpartition(" ")[2]) for one in lines if one.startswith(counted + "{"))


def test_what_a_stranger_writes_between_the_stages_goes_to_the_dead_letters(site: Site) -> None:
    written(site, "signals", [b"\xff nonsense", b'{"level": 0}', b""])
    written(site, "raw.cloudtrail", [json.dumps(CALL).encode()])
    command(site.config("worker"), "run", "--until", UNTIL)
    story = Story(site.broker.bootstrap, site.prefix)
    refused = Counter(key for (topic, key, _) in story.once if topic.startswith("dead-letters"))
    assert refused == {f"kafka:signals/0/{offset}": 1 for offset in (0, 1, 2)}
    assert sum(count for (topic, *_), count in story.once.items() if topic == "history event") == 1
