"""Topics on a real broker: made once, compared in full, with a sentence for each denied right."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ResourcePattern,
    ResourceType,
)

from correlators.routes import Routes
from correlators.ruleset import Ruleset
from infra.dev.broker import Broker
from infra.rules import load
from schemas.config import KafkaConfig, RulesConfig
from schemas.errors import Unavailable
from schemas.topics import deployment, state, states
from streams.kafka.connection import admin
from streams.kafka.topics import Difference, able, check, create
from streams.topology import INGEST, stages


@pytest.fixture
def config(broker: Broker, prefix: str) -> KafkaConfig:
    return KafkaConfig(bootstrap=broker.bootstrap, prefix=prefix, partitions=2)


@pytest.fixture
def client(broker: Broker) -> Iterator[Any]:
    with admin(KafkaConfig(bootstrap=broker.bootstrap)) as connected:
        yield connected


def test_the_states_are_those_of_the_topology() -> None:
    ruleset: Ruleset = load(RulesConfig())
    plan = stages(ruleset, Routes(ruleset))
    names = {state(INGEST): False} | {state(stage.name): stage.single for stage in plan}
    assert {topic.name: topic.single for topic in states(ruleset.levels)} == names


@pytest.mark.kafka
def test_what_is_missing_is_made_once(client: Any, config: KafkaConfig) -> None:  # noqa: ANN401
    plans = deployment(config, 1, ["otel"])
    assert all(one.made for one in create(client, config, plans, dry=True))
    assert [one.what for one in check(client, config, plans)] == ["is missing"] * len(plans)
    assert all(one.made for one in create(client, config, plans))
    (hint,) = check(client, config, plans)
    assert hint.hint
    assert hint.what.endswith("others have one replica: lost with its broker")
    more = deployment(config, 2, ["otel"])
    made = [one.plan.name for one in create(client, config, more) if one.made]
    assert made == [f"{config.prefix}correlate-2-state"]


@pytest.mark.kafka
def test_every_difference_has_its_mend(client: Any, config: KafkaConfig) -> None:  # noqa: ANN401
    facts, findings = f"{config.prefix}facts", f"{config.prefix}findings"
    observe = f"{config.prefix}observe-state"
    other = {
        facts: {"retention.ms": "1000", "max.message.bytes": "1000000"},
        findings: {"cleanup.policy": "delete", "max.message.bytes": "99999999"},
        observe: {"segment.ms": "700000"},
    }
    plans = deployment(config, 1)
    made = [plan._replace(settings=plan.settings | other.get(plan.name, {})) for plan in plans]
    create(client, config, made)
    wanted = config.model_copy(update={"partitions": 3, "replication": 2})
    found = check(client, wanted, deployment(wanted, 1, ["otel"]), ["others"])
    of = {name: [one for one in found if one.topic == name] for name in (facts, findings, observe)}
    alter = f"kafka-configs.sh --bootstrap-server {config.bootstrap} --alter --topic"
    partitions = (
        "keys would change their places: set kafka.partitions = 2, or take a new kafka.prefix"
    )
    replicas = "kafka-reassign-partitions.sh adds some, or set kafka.replication"
    both = [("has 2 partitions, not 3", partitions), ("has replication 1, not 2", replicas)]
    assert of == {
        facts: [
            *(Difference(facts, *one) for one in both),
            Difference(
                facts,
                "has retention.ms=1000, not 604800000",
                f"{alter} {facts} --add-config retention.ms=604800000",
            ),
            Difference(
                facts,
                "has max.message.bytes=1000000, not 8388608",
                f"{alter} {facts} --add-config max.message.bytes=8388608",
            ),
        ],
        findings: [
            *(Difference(findings, *one) for one in both),
            Difference(
                findings,
                "has cleanup.policy=delete, not compact",
                f"{alter} {findings} --add-config cleanup.policy=compact",
            ),
        ],
        observe: [
            *(Difference(observe, *one) for one in both),
            Difference(
                observe,
                "has segment.ms=700000, not 600000",
                f"{alter} {observe} --add-config segment.ms=600000",
                hint=True,
            ),
        ],
    }
    raw = f"{config.prefix}raw.otel"
    assert Difference(raw, "is missing", "barograph topics create --raw otel") in found
    assert Difference("others", "is missing", "make it, or mend its name") in found
    single = [one for one in found if one.topic == f"{config.prefix}inventory"]
    assert [one.what for one in single] == ["has replication 1, not 2"]


@pytest.mark.kafka
def test_the_cluster_has_too_few_brokers(client: Any, config: KafkaConfig) -> None:  # noqa: ANN401
    config = config.model_copy(update={"replication": 3})
    with pytest.raises(Unavailable, match=r"does not make topic .*; mend kafka\.replication"):
        create(client, config, deployment(config, 1))


@pytest.mark.kafka
def test_a_topic_that_is_wanted_is_there(client: Any, config: KafkaConfig) -> None:  # noqa: ANN401
    name = f"{config.prefix}raw.otel"
    with pytest.raises(Unavailable, match=r"^topic .* is missing; barograph topics create --raw"):
        able(config, name, "READ")
    with pytest.raises(Unavailable, match="is missing; no source is called so: mend its name"):
        able(config, f"{name}s", "READ")
    create(client, config, deployment(config, 1, ["otel"]))
    assert able(config, name, "READ").partitions == 2


@pytest.mark.kafka
def test_each_denied_right_is_named(login: Callable[[str], KafkaConfig]) -> None:
    config = login("guest")
    plans = deployment(config, 1)
    signals, facts = plans[0].name, plans[1].name
    mend = "barograph topics rights guest names all that it needs"
    with admin(login("admin")) as chief:
        with admin(config) as guest:
            with pytest.raises(Unavailable, match=f"^user guest lacks CREATE on topic {signals}; "):
                create(guest, config, plans)
            create(chief, config, plans)
            chief.create_acls(
                [
                    ACL(
                        principal="User:guest",
                        host="*",
                        operation=ACLOperation.READ,
                        permission_type=ACLPermissionType.ALLOW,
                        resource_pattern=ResourcePattern(ResourceType.TOPIC, signals),
                    )
                ]
            )
            while guest.describe_topics([signals])[0]["error_code"]:
                time.sleep(0.05)  # the broker takes rights in by and by
            found = check(guest, config, plans)
        assert check(chief, config, plans)[0].hint
    assert found[:3] == [
        Difference(signals, f"user guest lacks WRITE on topic {signals}", mend),
        Difference(
            signals,
            f"user guest lacks DESCRIBE_CONFIGS on topic {signals}: its settings are not compared",
            mend,
            hint=True,
        ),
        Difference(facts, f"user guest lacks DESCRIBE on topic {facts}", mend),
    ]
    with pytest.raises(Unavailable, match=f"^user guest lacks WRITE on topic {signals}; "):
        able(config, signals, "WRITE")
    with pytest.raises(Unavailable, match=f"^user guest lacks DESCRIBE on topic {facts}; "):
        able(config, facts, "READ")
