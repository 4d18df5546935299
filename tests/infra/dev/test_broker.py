"""The broker for development: what it keeps over a kill, who may do what, what its commands say."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    NewTopic,
    ResourcePattern,
    ResourceType,
)
from kafka.errors import KafkaError, TopicAuthorizationFailedError

from infra.dev.broker import Broker, main
from schemas.errors import Mistake, Unavailable
from streams.kafka.connection import begun

kafka = pytest.mark.kafka


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Broker]:
    """Yield a broker that this test may kill; it is not started yet."""
    broker = Broker(tmp_path / "broker")
    yield broker
    broker.kill()


def create(broker: Broker, topic: str) -> None:
    admin = KafkaAdminClient(**broker.client())
    admin.create_topics([NewTopic(topic, 2, -1)])
    admin.close()


def produce(broker: Broker, topic: str, values: list[bytes], user: str = "admin") -> None:
    producer = KafkaProducer(**broker.client(user), max_request_size=8 << 20)
    try:
        for sent in [producer.send(topic, value) for value in values]:
            sent.get(30)
    finally:
        producer.close()


def consume(broker: Broker, topic: str, many: int, user: str = "admin") -> set[bytes]:
    options: dict[str, Any] = {"auto_offset_reset": "earliest", "enable_auto_commit": False}
    consumer = KafkaConsumer(topic, group_id=f"{topic}-readers", **options, **broker.client(user))
    found: list[bytes] = []
    try:
        while len(found) < many:
            polled = consumer.poll(30_000)
            assert polled, f"{len(found)} of {many} came"
            found += [record.value for records in polled.values() for record in records]
    finally:
        consumer.close()
    return set(found)


def said(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    captured = capsys.readouterr()
    return captured.out, captured.err


@kafka
def test_what_is_produced_is_consumed(broker: Broker, prefix: str) -> None:
    values = [b"first", b"second", b"x" * 8_000_000]
    create(broker, f"{prefix}some")
    produce(broker, f"{prefix}some", values)
    assert consume(broker, f"{prefix}some", 3) == set(values)


@kafka
def test_a_topic_that_nobody_made_is_not_there(broker: Broker, prefix: str) -> None:
    producer = KafkaProducer(**broker.client(), max_block_ms=1000)
    with pytest.raises(KafkaError):
        producer.send(f"{prefix}misspelt", b"value").get(30)
    producer.close()
    admin = KafkaAdminClient(**broker.client())
    assert f"{prefix}misspelt" not in admin.list_topics()
    admin.close()


@kafka
def test_data_outlives_a_kill_a_stop_and_the_object(own: Broker) -> None:
    own.start()
    create(own, "some")
    produce(own, "some", [b"before the kill"])
    own.kill()
    assert not own.running
    own.start()
    produce(own, "some", [b"before the stop"])
    own.stop()
    assert not own.running
    again = Broker(own.folder)
    assert again.bootstrap == own.bootstrap
    again.start()
    assert consume(again, "some", 2) == {b"before the kill", b"before the stop"}
    again.stop()
    again.wipe()
    assert not own.folder.exists()


def answers(broker: Broker) -> bool:
    brief: dict[str, Any] = {"bootstrap_timeout_ms": 500, "request_timeout_ms": 500}
    try:
        begun(KafkaAdminClient, **broker.client(), **brief).close()
    except KafkaError:
        return False
    return True


@kafka
def test_a_paused_broker_has_its_port_and_goes_on(own: Broker) -> None:
    own.start()
    create(own, "some")
    own.pause()
    assert own.running
    socket.create_connection(("127.0.0.1", own.port), 5).close()
    end = time.monotonic() + 60
    while answers(own):  # until the signal has reached all of its threads
        assert time.monotonic() < end
    own.resume()
    own.ready()
    produce(own, "some", [b"after all"])
    own.pause()
    own.stop()
    assert not own.running


@kafka
def test_an_acl_says_who_may_do_what(secure_broker: Broker, prefix: str) -> None:
    topic = f"{prefix}some"
    admin = KafkaAdminClient(**secure_broker.client())
    admin.create_topics([NewTopic(topic, 2, -1)])
    kinds = (ResourceType.TOPIC, ResourceType.GROUP)
    begin = ACLResourcePatternType.PREFIXED
    allowed = [
        ACL(
            "User:app",
            "*",
            ACLOperation.ALL,
            ACLPermissionType.ALLOW,
            ResourcePattern(kind, prefix, begin),
        )
        for kind in kinds
    ]
    assert admin.create_acls(allowed)["failed"] == []
    admin.close()
    produce(secure_broker, topic, [b"by app"], user="app")
    assert consume(secure_broker, topic, 1, user="app") == {b"by app"}
    with pytest.raises(TopicAuthorizationFailedError):
        produce(secure_broker, topic, [b"by guest"], user="guest")


@kafka
@pytest.mark.parametrize(
    "wrong", [{"sasl_plain_password": "wrong-example"}, {"security_protocol": "PLAINTEXT"}]
)
def test_a_stranger_is_not_let_in(secure_broker: Broker, wrong: dict[str, str]) -> None:
    options: dict[str, Any] = {**secure_broker.client(), **wrong, "bootstrap_timeout_ms": 3000}
    with pytest.raises(KafkaError):
        begun(KafkaAdminClient, **options)


@kafka
def test_the_commands_start_once_and_stop_and_wipe(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / ".kafka"
    options = ["--folder", str(folder), "--port"]
    command = [sys.executable, "-m", "infra.dev.broker", "start", *options, "0"]
    address = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    started = Broker(folder)
    try:
        assert address == f"{started.bootstrap}\n"
        assert main(["start", *options, "9"]) == 0
        assert said(capsys) == (address, f"a broker already runs in {folder}\n")
        assert main(["ready", *options, "0"]) == 0
        assert main(["wipe", *options, "0"]) == 2
        assert said(capsys) == ("", f"barograph: a broker runs in {folder}; stop it first\n")
        assert main(["stop", *options, "0"]) == 0
    finally:
        started.kill()
    assert main(["stop", *options, "0"]) == 0  # there is none to stop any more
    assert main(["ready", *options, "0"]) == 3
    assert said(capsys) == ("", f"barograph: no broker runs in {folder}: start one\n")
    assert main(["wipe", *options, "0"]) == 0
    assert not folder.exists()


def test_a_port_that_is_taken_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert main(["start", "--folder", str(tmp_path / "new"), "--port", str(port)]) == 3
    sentence = f"barograph: port {port} of 127.0.0.1 is taken; name another with --port\n"
    assert said(capsys) == ("", sentence)


@pytest.mark.parametrize("port", ["-1", "65535"])
def test_a_port_that_cannot_be_is_a_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], port: str
) -> None:
    assert main(["start", "--folder", str(tmp_path / "new"), f"--port={port}"]) == 2
    sentence = f"{port} cannot be the port of a broker; name one up to 65534 with --port"
    assert said(capsys) == ("", f"barograph: {sentence}\n")


def test_a_folder_that_cannot_be_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.touch()
    assert main(["start", "--folder", str(file / "new"), "--port", "0"]) == 3
    sentence = f"{file}/new cannot be used: Not a directory; name another with --folder"
    assert said(capsys) == ("", f"barograph: {sentence}\n")


@pytest.mark.parametrize("verb", ["start", "wipe"])
def test_a_folder_of_somebody_else_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    (tmp_path / "letters").write_text("dear")
    assert main([verb, "--folder", str(tmp_path), "--port", "0"]) == 2
    sentence = f"{tmp_path} is not the folder of a broker; name another with --folder"
    assert said(capsys) == ("", f"barograph: {sentence}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["letters"]


def test_a_broker_that_never_was_is_not_ready_and_nothing_to_stop_or_wipe(tmp_path: Path) -> None:
    never = Broker(tmp_path / "never")
    with pytest.raises(Unavailable, match=r"no broker runs in .*never: start one"):
        never.ready()
    never.stop()
    never.wipe()
    assert not never.folder.exists()


@pytest.mark.parametrize("users", [{"app": "app-example"}, {"admin": 'quoted"'}, {"admin": ""}])
def test_users_need_an_admin_and_plain_words(tmp_path: Path, users: dict[str, str]) -> None:
    with pytest.raises(Mistake, match="name admin too"):
        Broker(tmp_path, users=users)
