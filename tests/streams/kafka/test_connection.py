"""Connection: in by every way, and for each way to fail a sentence that says what to mend."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from kafka import KafkaAdminClient, KafkaConsumer
from kafka.errors import KafkaTimeoutError

from infra.dev.broker import Broker
from schemas.config import KafkaConfig
from schemas.errors import Mistake, Unavailable
from streams.kafka import untyped
from streams.kafka.connection import admin, begun, client, hang_up, lacks, reach
from tests.streams.kafka.living import Stage, soon


def secured(broker: Broker, **given: Any) -> KafkaConfig:  # noqa: ANN401 - settings
    usual: dict[str, Any] = {
        "bootstrap": broker.bootstrap,
        "tls": True,
        "ca": str(broker.ca),
        "username": "admin",
        "password": broker.users["admin"],
    }
    return KafkaConfig.model_validate(usual | given)


def test_without_tls_and_login() -> None:
    assert client(KafkaConfig(bootstrap="one:9092,two:9092")) == {
        "bootstrap_servers": ["one:9092", "two:9092"],
        "client_id": "barograph",
        "security_protocol": "PLAINTEXT",
    }


def test_a_password_without_tls() -> None:
    config = KafkaConfig.model_validate(
        {"bootstrap": "one:9092", "username": "app", "password": "app-example"}
    )
    assert client(config) == {
        "bootstrap_servers": ["one:9092"],
        "client_id": "barograph",
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "app",
        "sasl_plain_password": "app-example",
    }


@pytest.mark.parametrize("kind", [KafkaAdminClient, KafkaConsumer])
def test_a_client_that_gets_no_answer_leaves_nothing_behind(kind: type) -> None:
    before = set(threading.enumerate())
    with socket.create_server(("127.0.0.1", 0)) as mute:
        place = f"127.0.0.1:{mute.getsockname()[1]}"
        with pytest.raises(KafkaTimeoutError):
            begun(kind, bootstrap_servers=place, bootstrap_timeout_ms=100)
    assert set(threading.enumerate()) == before


class Stuck:
    """A client of aiokafka that was asked to stop in the one moment in which it does not notice."""

    def __init__(self) -> None:
        self.closed = False

    @property
    def _client(self) -> Stuck:
        return self

    async def stop(self) -> None:
        await asyncio.Event().wait()

    async def close(self) -> None:
        self.closed = True


async def test_a_client_that_does_not_stop_holds_nobody_and_keeps_no_socket() -> None:
    stuck = Stuck()
    await hang_up(stuck, 0.01)
    assert stuck.closed


class Hesitant:
    """A listener that keeps its consumer from giving up partitions."""

    def __init__(self) -> None:
        self.asked, self.may_give_up = asyncio.Event(), asyncio.Event()
        self.may_give_up.set()

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:  # noqa: ARG002
        if not self.may_give_up.is_set():
            self.asked.set()
        await self.may_give_up.wait()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Take them."""


ConsumerRebalanceListener.register(Hesitant)


@pytest.mark.kafka
async def test_of_a_consumer_that_does_not_stop_nothing_goes_on(
    broker: Broker, prefix: str
) -> None:
    """It would keep a place in the group, and fetch, for as long as the worker runs."""
    stage = Stage(broker, prefix, ["in"], 1)
    before, listener = asyncio.all_tasks(), Hesitant()
    settings = {**client(stage.config), "group_id": stage.group}
    stuck, other = untyped.Consumer(**settings), untyped.Consumer(*stage.topics, **settings)
    stuck.subscribe(stage.topics, listener=listener)
    await stuck.start()
    listener.may_give_up.clear()
    joining = asyncio.create_task(other.start())
    await listener.asked.wait()
    joining.cancel()
    await hang_up(other, 0.1)
    await hang_up(stuck, 0.1)
    await soon(lambda: asyncio.all_tasks() <= before)


@pytest.mark.parametrize("field", ["ca", "certificate"])
def test_a_file_that_is_not_there_or_no_pem(field: str, tmp_path: Path) -> None:
    path = tmp_path / "x.pem"
    given = {"bootstrap": "one:9092", "tls": True, field: str(path)}
    if field == "certificate":
        given["key"] = str(path)
    config = KafkaConfig.model_validate(given)
    with pytest.raises(Mistake, match=rf"^kafka\.{field}: .*x\.pem: No such file"):
        client(config)
    path.write_text("nonsense")
    with pytest.raises(Mistake, match="name a readable PEM file"):
        client(config)


def test_a_right_that_is_missing_names_user_right_and_topic() -> None:
    anonymous = KafkaConfig(bootstrap="one:9092")
    assert str(lacks(anonymous, "WRITE", "t")) == (
        "this client lacks WRITE on topic t; barograph topics rights USER names all that it needs"
    )


async def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and never listens
        port = taken.getsockname()[1]
        with pytest.raises(Unavailable, match=rf"127\.0\.0\.1:{port} .*\(Connection refused\)"):
            await reach(KafkaConfig(bootstrap=f"127.0.0.1:{port}"))


@pytest.mark.kafka
async def test_one_broker_of_several_is_enough(broker: Broker) -> None:
    await reach(KafkaConfig(bootstrap=f"127.0.0.1:1,{broker.bootstrap}"))


@pytest.mark.kafka
def test_the_admin_client_is_connected(broker: Broker) -> None:
    connected = admin(KafkaConfig(bootstrap=broker.bootstrap))
    try:
        assert len(connected.describe_cluster()["brokers"]) == 1
    finally:
        connected.close()


@pytest.mark.kafka
def test_tls_and_login(secure_broker: Broker) -> None:
    admin(secured(secure_broker)).close()


@pytest.mark.kafka
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"password": "wrong-example"}, "refuses the user admin with this password"),
        ({"username": "nobody"}, "refuses the user nobody with this password"),
        ({"mechanism": "PLAIN"}, "takes no login by PLAIN"),
        ({"ca": None}, "shows a certificate that is not trusted"),
        ({"tls": False, "ca": None}, "is not to be reached"),
    ],
)
async def test_not_let_in(secure_broker: Broker, given: dict[str, Any], said: str) -> None:
    with pytest.raises(Unavailable, match=said):
        await reach(secured(secure_broker, **given))


@pytest.mark.kafka
async def test_tls_where_there_is_none(broker: Broker, secure_broker: Broker) -> None:
    config = secured(secure_broker, bootstrap=broker.bootstrap)
    with pytest.raises(Unavailable, match=r"is not to be reached .*kafka\.tls"):
        await reach(config)
