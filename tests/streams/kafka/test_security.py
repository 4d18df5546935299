"""TLS, SCRAM and ACLs: the documented rights are enough, and one less is a sentence that names it.

Each case has a prefix of its own, and so rights of its own, on the one broker.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Timer
from typing import Any

import pytest
from aiokafka.errors import ProducerFenced, TopicAuthorizationFailedError
from kafka.admin import ResourceType

from infra.cli import main
from infra.dev.broker import Broker
from infra.settings import load
from schemas.config import KafkaConfig
from streams.kafka.connection import admin
from streams.kafka.problems import sentence
from streams.kafka.producing import Letter, Producer
from tests.streams.kafka.test_rights import acls

pytestmark = pytest.mark.kafka
Capture = pytest.CaptureFixture[str]
Grant = Callable[..., None]
PATIENCE = 90.0  # seconds until a run or a sentence is taken for lost
MEND = "barograph topics rights app names all that it needs"
# Two of the demo's records, which make an alert.
ASKED = [
    json.dumps(
        {
            "eventID": name,
            "eventTime": f"2026-03-03T16:1{minute}:00Z",
            "eventSource": "bedrock.amazonaws.com",
            "eventName": name,
            "userIdentity": {
                "type": "IAMUser",
                "accountId": "111122223333",
                "arn": "arn:aws:iam::111122223333:user/ann",
                "accessKeyId": "AKIAEXAMPLE000000001",
            },
        }
    ).encode()
    for minute, name in enumerate(
        ("GetFoundationModelAvailability", "GetModelInvocationLoggingConfiguration")
    )
]


@pytest.fixture
def configured(secure_broker: Broker, prefix: str, tmp_path: Path) -> Callable[..., str]:
    """The path of a configuration with a sink, for a user of the broker."""

    def write(user: str, password: str | None = None) -> str:
        path = tmp_path / f"{user}.toml"
        path.write_text(
            f'data = "{tmp_path}"\n[server]\nport = 0\n'
            '[[sink]]\nname = "files"\nkind = "jsonl"\npath = "out"\n'
            f'[kafka]\nbootstrap = "{secure_broker.bootstrap}"\nprefix = "{prefix}"\n'
            f'partitions = 1\ntls = true\nca = "{secure_broker.ca}"\n'
            f'username = "{user}"\npassword = "{password or secure_broker.users[user]}"\n'
        )
        return str(path)

    return write


@pytest.fixture
def chief(configured: Callable[..., str], capsys: Capture) -> KafkaConfig:
    """The topics are there, and two records; who may do everything has made them."""
    path = configured("admin")
    assert main(["topics", "create", "--config", path, "--raw", "cloudtrail"]) == 0
    capsys.readouterr()
    config = kafka(path)
    asyncio.run(produced(config))
    return config


@pytest.fixture
def grant(chief: KafkaConfig, configured: Callable[..., str], capsys: Capture) -> Grant:
    """Give the user app what `topics rights` says, but one right on one resource."""

    def given(less: tuple[ResourceType, str, str] | None = None) -> None:
        assert main(["topics", "rights", "app", "--config", configured("app")]) == 0
        rights = [acl for line in capsys.readouterr().out.splitlines() for acl in acls(line)]
        kept = [acl for acl in rights if less is None or not is_(acl, chief.prefix, *less)]
        assert (len(kept) < len(rights)) == (less is not None)
        with admin(chief) as client:
            client.create_acls(kept)

    return given


def kafka(path: str) -> KafkaConfig:
    config = load(path, {}).kafka
    assert config is not None
    return config


async def produced(config: KafkaConfig) -> None:
    async with Producer(config, f"{config.prefix}raw.cloudtrail") as producer:
        await producer.write([Letter(record, b"k", "x") for record in ASKED])
        await producer.flush()


def is_(acl: Any, prefix: str, kind: ResourceType, name: str, right: str) -> bool:  # noqa: ANN401
    resource = acl.resource_pattern
    of_it = (resource.resource_type, resource.resource_name) == (kind, prefix + name)
    return of_it and right in (acl.operation.name, "ALL")


def worker(path: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "infra", "--config", path, "run", "--until", "2026-03-05T00:00:00Z"],
        cwd=Path(path).parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def complaint(path: str) -> str:
    """The first thing that is wrong by the word of a worker; it is ended then."""
    process = worker(path)
    assert process.stderr is not None
    watchdog = Timer(PATIENCE, process.kill)
    watchdog.start()
    said: list[str] = []
    try:
        for line in process.stderr:
            said.append(line)
            if " lacks " in line or " refuses " in line:
                return line.removeprefix("barograph: ").rstrip("\n")
        raise AssertionError("".join(said))
    finally:
        watchdog.cancel()
        process.kill()
        process.communicate()


def test_the_documented_rights_are_enough(
    grant: Grant, configured: Callable[..., str], tmp_path: Path
) -> None:
    grant()
    process = worker(configured("app"))
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said
    alerts = map(json.loads, (tmp_path / "out/alerts.jsonl").read_text().splitlines())
    assert {(alert["convergence"], alert["system"]) for alert in alerts} == {
        ("recon_to_use", "apikey:AKIAEXAMPLE000000001")
    }
    # It has written where its configuration says, and nowhere else.
    written = {path.name for path in tmp_path.iterdir()} - {"app.toml", "admin.toml"}
    assert written == {"out", "sink-files.json"}


@pytest.mark.parametrize(
    ("kind", "name", "right", "said"),
    [
        (ResourceType.TOPIC, "raw.", "READ", "READ on topic {}raw.*"),
        (ResourceType.TOPIC, "facts", "READ", "READ on topic {}facts"),
        (ResourceType.TOPIC, "alerts", "WRITE", "WRITE on topic {}alerts"),
        (ResourceType.TOPIC, "observe-state", "READ", "READ on topic {}observe-state"),
        (ResourceType.TOPIC, "signals", "ALL", "DESCRIBE on topic {}signals"),
        (ResourceType.GROUP, "", "READ", "READ on group {}ingest"),
        (
            ResourceType.TRANSACTIONAL_ID,
            "",
            "WRITE",
            "WRITE on transactional id {}agreement",
        ),
    ],
)
def test_one_right_less_is_named(
    grant: Grant,
    configured: Callable[..., str],
    prefix: str,
    kind: ResourceType,
    name: str,
    right: str,
    said: str,
) -> None:
    grant((kind, name, right))
    assert f"user app lacks {said.format(prefix)}; {MEND}" in complaint(configured("app"))


@pytest.mark.usefixtures("chief")
def test_a_wrong_password(configured: Callable[..., str], secure_broker: Broker) -> None:
    assert complaint(configured("app", "wrong-example")) == (
        f"the Kafka broker at {secure_broker.bootstrap} refuses the user app with this password;"
        " mend kafka.username or kafka.password (BAROGRAPH_KAFKA__PASSWORD); tries again"
    )


def test_a_right_that_is_taken_from_a_running_worker(
    grant: Grant, chief: KafkaConfig, configured: Callable[..., str]
) -> None:
    """What the library says of it then: the topic at best, and never the right."""
    grant((ResourceType.TOPIC, "facts", "WRITE"))
    app = kafka(configured("app"))
    lacks = f"user app lacks WRITE on topic {app.prefix}facts; {MEND}"
    assert sentence(TopicAuthorizationFailedError({f"{app.prefix}facts"}), app) == lacks
    assert sentence(ProducerFenced(), app) == lacks
    others = TopicAuthorizationFailedError(f"{app.prefix}assess")
    assert sentence(others, app) == f"{app.prefix}assess was denied, and is not any more"
    elsewhere = TopicAuthorizationFailedError("logs.trail")
    assert sentence(elsewhere, app) == f"user app lacks READ on topic logs.trail; {MEND}"
    assert sentence(ProducerFenced(), chief).startswith("another worker has taken over")
