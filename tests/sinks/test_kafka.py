import signal
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, cast

import kafka
import orjson
import pytest
from kafka.admin import NewTopic

from infra.dev.broker import Broker
from schemas.config import AnySink
from schemas.errors import Mistake
from sinks.delivery.kinds import connect
from sinks.delivery.sink import Delivered, Sink
from sinks.formats.ocsf import detection_finding
from tests.sinks.alerts import HOSTILE, alert, lives
from tests.sinks.rsyslog import free_port, wait
from tests.sinks.storms import Carrier, Told, survived

ID = "ab" * 32
KAFKA = cast("Any", kafka)  # ships no types


def topic(broker: Broker, name: str, **settings: str) -> str:
    with closing(KAFKA.KafkaAdminClient(**broker.client())) as admin:
        admin.create_topics([cast("Any", NewTopic)(name, 3, 1, topic_configs=settings)])
    return name


def records(broker: Broker, name: str) -> list[Any]:
    """All records of the topic, those of a partition in order."""
    with closing(KAFKA.KafkaConsumer(**broker.client(), auto_offset_reset="earliest")) as consumer:
        parts = [KAFKA.TopicPartition(name, number) for number in range(3)]
        consumer.assign(parts)
        ends = consumer.end_offsets(parts)
        found: list[Any] = []
        while any(consumer.position(part) < ends[part] for part in parts):
            for batch in consumer.poll(1000).values():
                found += batch
    return found


@contextmanager
def sink(folder: Path, **entry: object) -> Generator[Sink]:
    found = connect(AnySink.model_validate({"name": "lake", "kind": "kafka"} | entry), folder)
    with closing(found):
        yield found


@pytest.mark.kafka
@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_an_alert_arrives_under_its_id(
    broker: Broker, prefix: str, tmp_path: Path, compression: str
) -> None:
    name = topic(broker, f"{prefix}alerts")
    entry = {"bootstrap": broker.bootstrap, "topic": name, "compression": compression}
    batch = [alert(ID), alert("b", title=HOSTILE), alert(ID, 2, "withdrawn")]
    with sink(tmp_path, **entry) as lake:
        assert lake.write(batch[:2]) == Delivered(2)
        lake.flush()
        assert lake.write(batch[2:]) == Delivered(1)
    found = records(broker, name)
    mine = [one for one in found if one.key == ID.encode()]
    assert [orjson.loads(one.value) for one in mine] == [
        {
            "type": "alert.opened",
            "timestamp": batch[0].body["meta"]["emitted"],
            "data": batch[0].body,
        },
        {
            "type": "alert.withdrawn",
            "timestamp": batch[2].body["meta"]["emitted"],
            "data": batch[2].body,
        },
    ]
    assert mine[1].headers == [
        ("content-type", b"application/json"),
        ("barograph-type", b"alert.withdrawn"),
        ("barograph-revision", b"2"),
    ]
    (other,) = [one for one in found if one.key == b"b"]
    assert orjson.loads(other.value)["data"]["title"] == HOSTILE


@pytest.mark.kafka
def test_ocsf_is_the_detection_finding(broker: Broker, prefix: str, tmp_path: Path) -> None:
    name = topic(broker, f"{prefix}alerts")
    with sink(tmp_path, bootstrap=broker.bootstrap, topic=name, format="ocsf") as lake:
        assert lake.write([alert(ID)]) == Delivered(1)
    (one,) = records(broker, name)
    assert orjson.loads(one.value) == detection_finding(alert(ID).body)


@pytest.mark.kafka
def test_what_is_too_large_is_shortened_or_refused(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    name = topic(broker, f"{prefix}alerts", **{"max.message.bytes": "6000"})
    entry = {"bootstrap": broker.bootstrap, "topic": name}
    long = alert("long", timeline=[{"time": ID, "text": "x" * 100}] * 100)
    with sink(tmp_path, **entry, max_bytes=4000) as lake:
        assert lake.write([alert("a"), long]) == Delivered(2)
    told = {one.key: orjson.loads(one.value) for one in records(broker, name)}
    assert told[b"long"]["shortened"] == ["timeline"]
    batch = [alert("a", 2), long, alert("c"), alert("system", system="s" * 5000)]
    with sink(tmp_path, **entry) as lake:
        delivered = lake.write(batch)
    assert (delivered.taken, delivered.problem) == (4, None)
    assert [one.result.id for one in delivered.refused] == ["long", "system"]
    assert "larger than topic" in delivered.refused[0].reason
    assert {one.key for one in records(broker, name)} == {b"a", b"long", b"c"}


@pytest.mark.kafka
def test_what_a_person_has_to_mend_is_said(
    secure_broker: Broker, prefix: str, tmp_path: Path
) -> None:
    name = topic(secure_broker, f"{prefix}alerts")
    entry: dict[str, object] = {"topic": name, "timeout": "5s"}
    entry |= {"bootstrap": secure_broker.bootstrap}
    entry |= {"tls": True, "ca": str(secure_broker.ca), "username": "admin"}
    right = {"secret": secure_broker.users["admin"]}
    with sink(tmp_path, **entry, **right) as lake:
        assert lake.write([alert(ID)]) == Delivered(1)
    cases: Sequence[tuple[dict[str, object], str]] = [
        ({"secret": "wrong-example"}, "mend username, secret or mechanism"),
        ({**right, "mechanism": "PLAIN"}, "mend username, secret or mechanism"),
        (
            {"secret": secure_broker.users["app"], "username": "app"},
            "give the user the rights to write",
        ),
        ({**right, "topic": "absent"}, "make the topic"),
        ({**right, "ca": None}, "self-signed certificate in certificate chain; name the file"),
    ]
    for more, why in cases:
        with sink(tmp_path, **(entry | more)) as lake:
            delivered = lake.write([alert(ID, 2)])
        assert (delivered.taken, delivered.misconfigured) == (0, True), (more, delivered)
        assert delivered.problem is not None
        assert why in delivered.problem
        assert str(more.get("secret")) not in delivered.problem
    assert len(records(secure_broker, name)) == 1


def test_nobody_there_is_a_problem_that_passes(tmp_path: Path) -> None:
    place = f"127.0.0.1:{free_port()}"
    with sink(tmp_path, bootstrap=place, topic="alerts", timeout="2s") as lake:
        delivered = lake.write([alert(ID)])
        assert (delivered.taken, delivered.misconfigured) == (0, False)
        assert delivered.problem is not None
        assert delivered.problem.startswith(f"topic alerts at {place}: ")
        assert lake.write([alert(ID)]).taken == 0


@pytest.mark.kafka
def test_a_storm(tmp_path: Path) -> None:
    """The broker is paused and killed, and the sender killed meanwhile."""
    results = lives(300)
    broker = Broker(tmp_path / "kafka")
    broker.start()
    try:
        name = topic(broker, "alerts")
        entry = {"name": "lake", "kind": "kafka", "bootstrap": broker.bootstrap, "topic": name}
        carrier = Carrier(tmp_path / "ours", entry | {"timeout": "3s"}, results)
        broker.pause()
        carrier.start()
        wait(lambda: carrier.begun)
        carrier.kill()
        assert carrier.ended() == -signal.SIGKILL
        carrier.start()
        broker.resume()
        wait(lambda: newest(broker, name) > 0)
        broker.kill()
        carrier.kill()
        carrier.ended()
        carrier.start()
        broker.start()
        assert carrier.ended() == 0
        told = [
            Told(data["data"]["id"], data["data"]["meta"]["revision"], closed(data["type"]))
            for data in (orjson.loads(one.value) for one in records(broker, name))
        ]
    finally:
        broker.stop()
    survived(carrier, results, told, kills=1)


def newest(broker: Broker, name: str) -> int:
    """How many records the topic has."""
    with closing(KAFKA.KafkaConsumer(**broker.client())) as consumer:
        parts = [KAFKA.TopicPartition(name, number) for number in range(3)]
        return sum(consumer.end_offsets(parts).values())


def closed(type_: str) -> bool:
    return type_ not in ("alert.opened", "alert.updated")


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"bootstrap": "kafka.example"}, "bootstrap is host:port"),
        ({"topic": "a b"}, "wrong 'topic'"),
        ({"username": "app"}, "username and secret go together"),
        ({"tls": True, "key": "k.pem"}, "certificate and key go together"),
        ({"ca": "ca.pem"}, "need tls = true"),
        ({"tls": True, "ca": "nowhere.pem"}, "cannot use nowhere.pem"),
        ({"format": "xml"}, "wrong 'format'"),
    ],
)
def test_settings_that_cannot_be_are_a_mistake(
    tmp_path: Path, more: dict[str, object], why: str
) -> None:
    entry = {"bootstrap": "kafka.example:9092", "topic": "alerts"} | more
    with pytest.raises(Mistake, match=why), sink(tmp_path, **entry):
        pass
