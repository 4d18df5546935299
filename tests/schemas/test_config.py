"""Config: defaults give a working run, and what is not a setting is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.config import AnySink, Config, KafkaConfig, SystemConfig
from schemas.entity import Entity
from schemas.times import DAY, MINUTE, SECOND


def test_defaults_give_a_working_run() -> None:
    config = Config()
    assert (config.data, config.input, config.sink) == ("barograph-data", (), ())
    assert config.rules.builtin
    assert (config.server.host, config.server.port) == ("127.0.0.1", 9464)
    assert config.limits.future == 5 * MINUTE


def test_an_input_is_a_name_and_what_differs_from_the_defaults() -> None:
    config = Config.model_validate(
        {
            "input": [
                {"name": "trail", "path": "logs", "lateness": "15m"},
                {"name": "otlp", "kind": "http"},
            ]
        }
    )
    trail, otlp = config.input
    assert (trail.kind, trail.lateness, trail.source, trail.idle) == (
        "follow",
        15 * MINUTE,
        None,
        60 * SECOND,
    )
    assert (otlp.host, otlp.port, otlp.max_body_bytes) == ("127.0.0.1", 4318, 16 * 2**20)


def test_a_system_is_declared_by_kind_and_id() -> None:
    system = SystemConfig.model_validate(
        {
            "name": "chat",
            "root": "application:chat",
            "members": ["endpoint:https://x:8080", {"kind": "model", "id": "m"}],
        }
    )
    assert system.root == Entity(kind="application", id="chat")
    assert [member.key for member in system.members] == ["endpoint:https://x:8080", "model:m"]


def test_a_secret_is_never_shown() -> None:
    sink = AnySink.model_validate({"name": "siem", "kind": "webhook", "secret": "not-for-eyes"})
    assert "not-for-eyes" not in f"{sink!r}{sink.model_dump_json()}"
    assert sink.secret is not None
    assert sink.secret.get_secret_value() == "not-for-eyes"


@pytest.mark.parametrize(
    ("stated", "place"),
    [
        ({"inputs": []}, ("inputs",)),
        ({"server": {"port": 70_000}}, ("server", "port")),
        ({"input": [{"name": "a b"}]}, ("input", 0, "name")),
        ({"input": [{"name": "a", "kind": "ftp"}]}, ("input", 0, "kind")),
        ({"input": [{"name": "a", "idle": "soon"}]}, ("input", 0, "idle")),
        ({"sink": [{"name": "a"}]}, ("sink", 0, "kind")),
        ({"sink": [{"name": "a b", "kind": "jsonl"}]}, ("sink", 0, "name")),
        ({"system": [{"name": "a", "root": "chat"}]}, ("system", 0, "root")),
        ({"system": [{"name": "a", "root": "castle:x"}]}, ("system", 0, "root")),
        ({"limits": {"depth": 0}}, ("limits", "depth")),
    ],
)
def test_a_mistake_is_refused_with_its_place(
    stated: dict[str, Any], place: tuple[str | int, ...]
) -> None:
    with pytest.raises(ValidationError) as caught:
        Config.model_validate(stated)
    assert {error["loc"][: len(place)] for error in caught.value.errors()} == {place}


def test_a_broker_is_its_address_and_what_differs_from_the_defaults() -> None:
    kafka = KafkaConfig.model_validate({"bootstrap": "one:9092,[::1]:9093", "retention": "3d"})
    assert (kafka.prefix, kafka.partitions, kafka.replication) == ("barograph.", 4, -1)
    assert (kafka.retention, kafka.message_bytes) == (3 * DAY, 8 * 2**20)
    assert Config().kafka is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"bootstrap": "localhost"}, "bootstrap is host:port"),
        ({"bootstrap": "one:9092,"}, "bootstrap is host:port"),
        ({"partitions": 0}, "greater than 0"),
        ({"partitions": 1001}, "less than or equal to 1000"),
        ({"replication": 0}, "replication is -1"),
        ({"prefix": "a b"}, "should match pattern"),
        ({"username": "app"}, "username and password go together"),
        ({"tls": True, "certificate": "c.pem"}, "certificate and key go together"),
        ({"ca": "ca.pem"}, "need tls = true"),
        ({"mechanism": "GSSAPI"}, "Input should be 'SCRAM-SHA-512'"),
    ],
)
def test_a_broker_that_cannot_be_meant_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        KafkaConfig.model_validate({"bootstrap": "localhost:9092"} | given)


@pytest.mark.parametrize("missing", ["topic", "source"])
def test_a_topic_to_read_has_a_source(missing: str) -> None:
    given = {"name": "trail", "kind": "kafka", "topic": "logs.trail", "source": "cloudtrail"}
    del given[missing]
    with pytest.raises(ValidationError, match="needs topic and source"):
        Config.model_validate({"input": [given]})
