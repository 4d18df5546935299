"""CloudEvents of an agent mesh."""

from pathlib import Path
from typing import Any

import pytest

from schemas.config import Limits
from schemas.event import Event, Reject
from streams.reading import outcomes
from streams.source import Parsed, named
from streams.sources import cloudevents
from tests.streams.sources.conftest import Read

EXAMPLES = Path(__file__).parent / "examples"


def parsed(name: str) -> list[Parsed]:
    found = [
        one.result for one in outcomes(str(EXAMPLES / name), Limits(), named(cloudevents.NAME))
    ]
    assert not [one for one in found if isinstance(one, Reject)]
    return [one for one in found if not isinstance(one, Reject)]


def body(event: Event) -> dict[str, Any]:
    return {key: value for key, value in event.body().items() if key != "evidence"}


def test_a_blocked_tool() -> None:
    event, _ = parsed("cloudevents.jsonl")[1]
    assert body(event) == {
        "uid": "431747b0c39c69b3d3e157206f1591e5",
        "time": "2026-03-04T05:06:07.100000Z",
        "source": "cloudevents",
        "class_uid": 6003,
        "class_name": "API Activity",
        "activity": "execute_tool",
        "status": "failure",
        "severity": "high",
        "message": "execute_tool tool:agent-7/shell:execute",
        "actor": {"kind": "agent", "id": "agent-7", "name": "triage"},
        "entities": [
            {"kind": "tool", "id": "agent-7/shell:execute", "name": "shell:execute"},
            {"kind": "agent", "id": "agent-7", "name": "triage"},
            {"kind": "guardrail", "id": "p1", "name": "No shell"},
        ],
        "edges": [
            {
                "from": {"kind": "agent", "id": "agent-7", "name": "triage"},
                "relation": "uses",
                "to": {"kind": "tool", "id": "agent-7/shell:execute", "name": "shell:execute"},
                "declared": False,
                "state": "open",
            },
            {
                "from": {"kind": "agent", "id": "agent-7", "name": "triage"},
                "relation": "guarded_by",
                "to": {"kind": "guardrail", "id": "p1", "name": "No shell"},
                "declared": False,
                "state": "open",
            },
        ],
        "attributes": {
            "gen_ai.agent.id": "agent-7",
            "gen_ai.agent.name": "triage",
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "shell:execute",
            "gen_ai.tool.call.arguments.size": 26,
            "cloudevents.type": "ai.agentmesh.tool.blocked",
            "cloudevents.subject": "tool:shell:execute",
            "agent.did": "did:mesh:agent-7",
            "policy.id": "p1",
            "policy.name": "No shell",
            "policy.reason": "not allowed",
            "guardrail.verdict": "deny",
        },
    }


def test_an_allowed_tool() -> None:
    event, _ = parsed("cloudevents.jsonl")[0]
    assert (event.activity, event.status) == ("execute_tool", "success")
    assert event.attributes["guardrail.verdict"] == "allow"
    assert event.attributes["trace.id"] == "t1"


def test_trust() -> None:
    event, _ = parsed("cloudevents.jsonl")[2]
    assert [one.key for one in event.entities] == ["agent:agent-7"]
    assert event.attributes["agent.trust.score"] == 620
    assert event.attributes["agent.trust.previous"] == 850


def test_a_batch_with_data_as_text() -> None:
    found = [event for event, _ in parsed("cloudevents.batch.json")]
    assert [one.entities[0].id for one in found] == ["agent-7/mail:send", "agent-8/mail:send"]
    assert found[0].attributes["guardrail.verdict"] == "warn"
    assert found[0].attributes["guardrail.category"] == "data_exfiltration"


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (
            b'{"specversion":"1.0","type":"com.example.order","time":"2026-03-04T05:06:07Z","data":{"order":7}}',
            "wrong-shape",
        ),
        (b'{"specversion":"1.0","type":"ai.agentmesh.tool.invoked","data":{}}', "no-time"),
        (
            b'{"specversion":"1.0","type":"ai.agentmesh.tool.invoked","data_base64":"?"}',
            "wrong-shape",
        ),
    ],
)
def test_what_is_rejected(read: Read, document: bytes, reason: str) -> None:
    (outcome,) = read(cloudevents, document)
    assert isinstance(outcome.result, Reject)
    assert outcome.result.reason == reason
