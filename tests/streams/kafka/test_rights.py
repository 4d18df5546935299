"""Rights: each role gets what it needs and no more, and the broker finds that enough."""

from __future__ import annotations

import asyncio
import shlex
import time
from collections.abc import Callable

import pytest
from kafka.admin import ACL, ACLOperation, ACLPermissionType, ResourcePattern, ResourceType
from kafka.admin import ACLResourcePatternType as Pattern

from schemas.config import KafkaConfig
from schemas.topics import deployment
from streams.kafka.connection import admin
from streams.kafka.log import Log
from streams.kafka.producing import Letter, Producer
from streams.kafka.rights import Role, grants
from streams.kafka.topics import able, create

CONFIG = KafkaConfig(bootstrap="b:9092", prefix="p.")
ADD = "kafka-acls.sh --bootstrap-server b:9092 --add --allow-principal User:app"

TAKEN = "--topic p.findings --topic p.alerts --topic p.history --topic p.dead-letters"
MAKE = "--operation CREATE --operation DESCRIBE --operation DESCRIBE_CONFIGS"


def given(role: Role, sources: tuple[str, ...] = (), inputs: tuple[str, ...] = ()) -> list[str]:
    lines = list(grants(CONFIG, 1, "app", role, sources, inputs))
    assert all(line.startswith(f"{ADD} ") for line in lines)
    return [line.removeprefix(f"{ADD} ") for line in lines]


def test_a_worker() -> None:
    ours, *others = given("worker", inputs=("logs.trail",))
    assert ours.startswith(
        "--operation READ --operation WRITE --operation DESCRIBE_CONFIGS --topic "
    )
    named = [word for word in shlex.split(ours) if word.startswith("p.")]
    assert named == [plan.name for plan in deployment(CONFIG, 1)]
    assert others == [
        "--operation READ --topic p.raw. --resource-pattern-type prefixed",
        "--operation READ --topic logs.trail",
        "--operation READ --group p. --resource-pattern-type prefixed",
        "--operation WRITE --transactional-id p. --resource-pattern-type prefixed",
    ]


@pytest.mark.parametrize(
    ("role", "lines"),
    [
        (
            "sink",
            [
                f"--operation READ {TAKEN}",
                "--operation READ --group p.sink. --resource-pattern-type prefixed",
            ],
        ),
        ("producer", ["--operation WRITE --topic p.raw.otel --topic p.raw.trivy"]),
        (
            "creator",
            [
                f"{MAKE} --topic p. --resource-pattern-type prefixed",
            ],
        ),
        (
            "replayer",
            [
                "--operation READ --operation WRITE --topic p.dead-letters",
                "--operation READ --operation WRITE --topic p.raw.otel --topic p.raw.trivy",
                "--operation WRITE --transactional-id p.dead-letters-replay",
            ],
        ),
    ],
)
def test_the_others(role: Role, lines: list[str]) -> None:
    assert given(role, ("otel", "trivy")) == lines


def test_nothing_acts_in_a_shell() -> None:
    config = CONFIG.model_copy(update={"prefix": ""})
    (line,) = grants(config, 1, "x; rm -rf y", "producer")
    assert line.startswith(f"{ADD.removesuffix('User:app')}'User:x; rm -rf y' ")
    assert line.endswith(" --topic raw. --resource-pattern-type prefixed")


def acls(line: str) -> list[ACL]:
    """What kafka-acls.sh would make of a line."""
    words = shlex.split(line)
    pairs = list(zip(words[4::2], words[5::2], strict=True))
    pattern = Pattern.PREFIXED if "prefixed" in words else Pattern.LITERAL
    kinds = {
        "--topic": ResourceType.TOPIC,
        "--group": ResourceType.GROUP,
        "--transactional-id": ResourceType.TRANSACTIONAL_ID,
    }
    return [
        ACL(
            principal=words[words.index("--allow-principal") + 1],
            host="*",
            operation=ACLOperation[right],
            permission_type=ACLPermissionType.ALLOW,
            resource_pattern=ResourcePattern(kinds[kind], name, pattern),
        )
        for kind, name in pairs
        if kind in kinds
        for option, right in pairs
        if option == "--operation"
    ]


@pytest.mark.kafka
def test_a_creator_creates_and_a_producer_produces(
    prefix: str, login: Callable[[str], KafkaConfig]
) -> None:
    app, guest = login("app"), login("guest")
    topic = f"{prefix}raw.otel"
    lines = [*grants(app, 1, "app", "creator"), *grants(app, 1, "app", "producer")]
    lines += grants(app, 1, "guest", "worker")
    with admin(login("admin")) as chief:
        chief.create_acls([acl for line in lines for acl in acls(line)])
    with admin(app) as client:
        while client.describe_topics([topic])[0]["error_code"] == 29:
            time.sleep(0.05)  # the broker takes rights in by and by
        assert all(one.made for one in create(client, app, deployment(app, 1, ["otel"])))
    able(app, topic, "WRITE")
    asyncio.run(written(app, topic))
    for plan in deployment(guest, 1):
        able(guest, plan.name, "WRITE")
    partitions = able(guest, topic, "READ").partitions
    assert asyncio.run(held(guest, topic, partitions)) == [b"{}"]


async def written(config: KafkaConfig, topic: str) -> None:
    async with Producer(config, topic) as producer:
        await producer.write([Letter(b"{}", None, "x#1")])
        await producer.flush()


async def held(config: KafkaConfig, topic: str, partitions: int) -> list[bytes | None]:
    async with Log(config) as log:
        return [entry.value async for entry in log.entries(topic, partitions, "beginning")]
