"""Events of the DefenseClaw gateway."""

from pathlib import Path
from typing import Any

import pytest

from schemas.config import Limits
from schemas.event import Event, Reject
from streams.reading import outcomes
from streams.source import Parsed, named
from tests.streams.sources.conftest import Read

EXAMPLES = Path(__file__).parent / "examples"


def parsed(name: str) -> list[Parsed]:
    found = [one.result for one in outcomes(str(EXAMPLES / name), Limits(), named("defenseclaw"))]
    assert not [one for one in found if isinstance(one, Reject)]
    return [one for one in found if not isinstance(one, Reject)]


def body(event: Event) -> dict[str, Any]:
    return {key: value for key, value in event.body().items() if key != "evidence"}


def test_a_verdict() -> None:
    event, _ = parsed("defenseclaw.jsonl")[0]
    assert body(event) == {
        "uid": "e688d1bd5bb385772e4aaf70c75f0985",
        "time": "2026-03-04T05:06:07.000000Z",
        "source": "defenseclaw",
        "class_uid": 6003,
        "class_name": "API Activity",
        "activity": "apply_guardrail",
        "status": "failure",
        "severity": "high",
        "message": "apply_guardrail guardrail:defenseclaw",
        "actor": {"kind": "agent", "id": "agent-7", "name": "codex"},
        "entities": [
            {"kind": "guardrail", "id": "defenseclaw"},
            {"kind": "agent", "id": "agent-7", "name": "codex"},
            {"kind": "session", "id": "s-1"},
            {"kind": "model", "id": "gpt-4o"},
            {"kind": "principal", "id": "u-7"},
        ],
        "edges": [
            {
                "from": {"kind": "agent", "id": "agent-7", "name": "codex"},
                "relation": "calls",
                "to": {"kind": "model", "id": "gpt-4o"},
                "declared": False,
                "state": "open",
            },
            {
                "from": {"kind": "agent", "id": "agent-7", "name": "codex"},
                "relation": "guarded_by",
                "to": {"kind": "guardrail", "id": "defenseclaw"},
                "declared": False,
                "state": "open",
            },
        ],
        "attributes": {
            "gen_ai.agent.id": "agent-7",
            "gen_ai.agent.name": "codex",
            "gen_ai.conversation.id": "s-1",
            "gen_ai.request.model": "gpt-4o",
            "user.id": "u-7",
            "defenseclaw.event": "verdict",
            "guardrail.reason": "rule R1",
            "guardrail.rules": ["R1"],
            "guardrail.stage": "final",
            "guardrail.verdict": "deny",
            "guardrail.category": "prompt_attack",
        },
    }


def test_a_finding() -> None:
    event, _ = parsed("defenseclaw.jsonl")[6]
    assert body(event) == {
        "uid": "3a78e3f784b68095920c437f44517e80",
        "time": "2026-03-04T05:06:07.000000Z",
        "source": "defenseclaw",
        "class_uid": 2004,
        "class_name": "Detection Finding",
        "activity": "Create",
        "status": "unknown",
        "severity": "high",
        "message": "Reads credentials",
        "entities": [{"kind": "skill", "id": "pdf-reader"}],
        "edges": [],
        "finding": {
            "uid": "bd69e2224bbc61a765cdf0b2e8340a31",
            "title": "Reads credentials",
            "state": "open",
            "check": "R9",
            "location": "3",
        },
        "attributes": {"scan.id": "x1", "scan.tool": "defenseclaw/skill"},
    }


def test_each_kind() -> None:
    said = [
        (event.activity, event.status, event.entities[0].key)
        for event, _ in parsed("defenseclaw.jsonl")
    ]
    assert said == [
        ("apply_guardrail", "failure", "guardrail:defenseclaw"),
        ("apply_guardrail", "unknown", "guardrail:defenseclaw"),
        ("chat", "unknown", "model:gpt-4o"),
        ("execute_tool", "unknown", "tool:agent-7/shell"),
        ("egress", "failure", "agent:agent-7"),
        ("Completed", "unknown", "skill:pdf-reader"),  # it found something, so it closes nothing
        ("Create", "unknown", "skill:pdf-reader"),
        ("mcp_inventory", "unknown", "mcp_server:pages.example"),
        ("lifecycle", "unknown", "application:defenseclaw"),
    ]


def test_what_is_only_watched_went_through() -> None:
    event, _ = parsed("defenseclaw.jsonl")[1]
    assert event.attributes["guardrail.verdict"] == "warn"


def test_a_clean_scan_closes(read: Read) -> None:
    (outcome,) = read(
        named("defenseclaw"),
        b'{"ts":"2026-03-04T05:06:07Z","event_type":"scan","scan":'
        b'{"scanner":"skill","target":"pdf-reader","counts":{"HIGH":0}}}',
    )
    assert not isinstance(outcome.result, Reject)
    assert outcome.result.event.status == "success"


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b'{"ts":"2026-03-04T05:06:07Z"}', "wrong-shape"),
        (b'{"event_type":"verdict","verdict":{"action":"block"}}', "no-time"),
        (b'{"ts":"2026-03-04T05:06:07Z","event_type":"scan","scan":{}}', "wrong-shape"),
    ],
)
def test_what_is_rejected(read: Read, document: bytes, reason: str) -> None:
    (outcome,) = read(named("defenseclaw"), document)
    assert isinstance(outcome.result, Reject)
    assert outcome.result.reason == reason


@pytest.mark.parametrize(
    ("kind", "payload", "known"),
    [("verdict", "verdict", True), ("egress", "egress", True), ("verdict", "details", False)],
)
def test_what_is_known_by_its_payload(kind: str, payload: str, known: bool) -> None:  # noqa: FBT001
    head = f'{{"ts":"2026-03-04T05:06:07Z","event_type":"{kind}","severity":"LOW"'
    head += f',"schema_version":7,"{payload}": {{}}}}'
    assert named("defenseclaw").sniff(head.encode()) == known
