"""Falco alerts of containers, clusters and coding agents."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from schemas.config import Limits
from schemas.event import Event, Reject
from streams.reading import outcomes
from streams.source import Parsed, named
from tests.streams.sources.conftest import Read

EXAMPLES = Path(__file__).parent / "examples"


def parsed(name: str) -> list[Parsed]:
    found = [one.result for one in outcomes(str(EXAMPLES / name), Limits(), named("falco"))]
    assert not [one for one in found if isinstance(one, Reject)]
    return [one for one in found if not isinstance(one, Reject)]


def body(event: Event) -> dict[str, Any]:
    return {key: value for key, value in event.body().items() if key != "evidence"}


def test_a_container() -> None:
    event, _ = parsed("falco.jsonl")[0]
    assert body(event) == {
        "uid": "acc777bd11c5c3ca893bf027758c6869",
        "time": "2026-03-04T05:06:07.123456Z",
        "source": "falco",
        "class_uid": 2004,
        "class_name": "Detection Finding",
        "activity": "Create",
        "status": "unknown",
        "severity": "medium",
        "message": "Terminal shell in container",
        "entities": [
            {"kind": "workload", "id": "k8s/ml/triage"},
            {"kind": "image", "id": "images.example/triage:7", "name": "images.example/triage:7"},
            {"kind": "host", "id": "node-1"},
        ],
        "edges": [
            {
                "from": {"kind": "workload", "id": "k8s/ml/triage"},
                "relation": "runs_image",
                "to": {
                    "kind": "image",
                    "id": "images.example/triage:7",
                    "name": "images.example/triage:7",
                },
                "declared": False,
                "state": "open",
            },
            {
                "from": {"kind": "host", "id": "node-1"},
                "relation": "hosts",
                "to": {"kind": "workload", "id": "k8s/ml/triage"},
                "declared": False,
                "state": "open",
            },
        ],
        "attributes": {
            "container.id": "3ad7b26ded6d",
            "container.image.name": "images.example/triage",
            "container.image.tags": "7",
            "container.name": "triage",
            "k8s.namespace.name": "ml",
            "k8s.pod.name": "triage-6d4cf56db6-x2x7c",
            "process.command_line.size": 18,
            "process.name": "sh",
            "process.parent.name": "runc",
            "user.name": "root",
            "falco.rule": "Terminal shell in container",
            "falco.priority": "Warning",
            "falco.source": "syscall",
            "falco.tags": ["T1059", "container"],
        },
    }


def test_a_coding_agent() -> None:
    event, _ = parsed("falco.jsonl")[2]
    assert body(event) == {
        "uid": "7780d0a4a02e8bb92ff847673861905c",
        "time": "2026-03-04T05:06:07.123456Z",
        "source": "falco",
        "class_uid": 2004,
        "class_name": "Detection Finding",
        "activity": "Create",
        "status": "unknown",
        "severity": "critical",
        "message": "Deny writes to ssh folder",
        "actor": {"kind": "agent", "id": "claude_code"},
        "entities": [
            {"kind": "tool", "id": "claude_code/Write", "name": "Write"},
            {"kind": "agent", "id": "claude_code"},
            {"kind": "session", "id": "s-1"},
            {"kind": "host", "id": "node-1"},
        ],
        "edges": [
            {
                "from": {"kind": "agent", "id": "claude_code"},
                "relation": "uses",
                "to": {"kind": "tool", "id": "claude_code/Write", "name": "Write"},
                "declared": False,
                "state": "open",
            }
        ],
        "attributes": {
            "agent.working_directory": "/srv/claims",
            "gen_ai.agent.name": "claude_code",
            "gen_ai.conversation.id": "s-1",
            "gen_ai.tool.call.arguments.size": 28,
            "gen_ai.tool.call.id": "tu1",
            "gen_ai.tool.name": "Write",
            "tool.file": "/home/dev/.ssh/config",
            "falco.rule": "Deny writes to ssh folder",
            "falco.priority": "CRITICAL",
            "falco.source": "coding_agent",
            "falco.tags": ["coding_agent_deny"],
            "guardrail.verdict": "deny",
        },
    }


def test_the_audit_of_a_cluster() -> None:
    event, _ = parsed("falco.jsonl")[1]
    assert event.actor is not None
    assert event.actor.key == "principal:system:serviceaccount:ml:triage"
    assert event.attributes["k8s.audit.verb"] == "get"
    assert event.severity == "low"


@pytest.mark.parametrize(
    ("pod", "workload"),
    [
        ("triage-6d4cf56db6-x2x7c", "triage"),  # of a deployment
        ("vectors-0", "vectors"),  # of a stateful set
        ("agent-x2x7c", "agent"),  # of a daemon set
        ("lonely", "lonely"),
    ],
)
def test_the_controller_of_a_pod(read: Read, pod: str, workload: str) -> None:
    fields = '{"k8s.ns.name":"ml","k8s.pod.name":"' + pod + '"}'
    alert = '{"rule":"R","priority":"Notice","time":"2026-03-04T05:06:07Z","output_fields":'
    (outcome,) = read(named("falco"), (alert + fields + "}").encode())
    assert not isinstance(outcome.result, Reject)
    assert outcome.result.event.entities[0].id == f"k8s/ml/{workload}"


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b'{"priority":"Notice","time":"2026-03-04T05:06:07Z","output_fields":{}}', "wrong-shape"),
        (b'{"rule":"R","time":"2026-03-04T05:06:07Z","output_fields":{}}', "wrong-shape"),
        (b'{"rule":"R","hostname":"h","output_fields":{}}', "no-time"),
    ],
)
def test_what_is_rejected(read: Read, document: bytes, reason: str) -> None:
    (outcome,) = read(named("falco"), document)
    assert isinstance(outcome.result, Reject)
    assert outcome.result.reason == reason


@pytest.mark.parametrize(
    ("fields", "actor", "address"),
    [
        (
            {"ct.user.arn": "arn:aws:iam::111122223333:user/lena", "ct.srcip": "192.0.2.7"},
            "arn:aws:iam::111122223333:user/lena",
            "192.0.2.7",
        ),
        (
            {"gcp.user": "lena@example.com", "gcp.callerIP": "192.0.2.8"},
            "lena@example.com",
            "192.0.2.8",
        ),
        (
            {"okta.actor.alternateID": "lena@example.com", "okta.client.ip": "192.0.2.9"},
            "lena@example.com",
            "192.0.2.9",
        ),
    ],
)
def test_a_plugin_for_an_audit_log(
    read: Read, fields: dict[str, Any], actor: str, address: str
) -> None:
    alert = {"rule": "R", "priority": "Notice", "time": "2026-03-04T05:06:07Z"}
    (outcome,) = read(named("falco"), orjson.dumps(alert | {"output_fields": fields}))
    assert not isinstance(outcome.result, Reject)
    event = outcome.result.event
    assert event.actor is not None
    assert event.actor.key == f"principal:{actor}"
    assert event.client is not None
    assert event.client.ip == address
