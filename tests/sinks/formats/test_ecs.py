"""ECS: whole documents written out, and the templates that have to know every field of them."""

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest

from schemas.entity import KINDS
from sinks.formats.ecs import LONGEST, document
from tests.sinks.alerts import EVIDENCE, HOSTILE, LATER, NOON, body

THREAD = "aeb3b06de908f454e986a98fcee379da"
PLAIN: dict[str, Any] = {
    "@timestamp": LATER,
    "message": "A poisoned tool is at work in support-bot",
    "tags": ["attack.initial_access", "atlas.aml.t0051.001", "owasp.llm01-2025"],
    "ecs": {"version": "9.3.0"},
    "event": {
        "kind": "alert",
        "category": ["intrusion_detection"],
        "type": ["info"],
        "module": "barograph",
        "dataset": "barograph.alerts",
        "provider": "barograph",
        "action": "alert-open",
        "id": "a" * 64 + "-1",
        "created": LATER,
        "start": NOON,
        "end": LATER,
        "hash": "e50b6ba27feb821f2a602f0e46423d4c",
        "reason": "An injection reached an agent that may send mail; three families agree.",
        "risk_score": 87,
        "risk_score_norm": 87,
        "severity": 5,
    },
    "observer": {"vendor": "Barograph", "product": "Barograph", "type": "correlation"},
    "rule": {"id": "tool_poisoning", "name": "tool_poisoning", "ruleset": "barograph"},
    "service": {"name": "support-bot"},
    "threat": {
        "framework": ["MITRE ATLAS", "MITRE ATT&CK"],
        "tactic": {"id": ["AML.TA0005"], "name": ["Execution", "Initial Access"]},
        "technique": {
            "id": ["AML.T0051"],
            "name": ["LLM Prompt Injection"],
            "subtechnique": {"id": ["AML.T0051.001"], "name": ["Indirect"]},
        },
    },
    "related": {"user": ["ana@corp.example", "Ana"], "ip": ["198.51.100.7"]},
    "gen_ai": {
        "tool": {"name": ["send"]},
        "request": {"model": ["gpt-4o-2024-08-06"]},
    },
    "barograph": {
        "id": "a" * 64,
        "revision": 1,
        "state": "provisional",
        "closed": False,
        "thread": THREAD,
        "convergence": "tool_poisoning",
        "system": "support-bot",
        "stage": "warning",
        "peak_stage": "warning",
        "status": "open",
        "severity": "critical",
        "priority": 87,
        "confidence": 0.91,
        "onset_time": NOON,
        "expires_at": "2026-01-02T13:30:00.250000Z",
        "entities": [
            "application:support-bot",
            "principal:ana@corp.example",
            "tool:mcp-mail/send",
            "model:gpt-4o-2024-08-06",
        ],
        "detail": {
            "entities": [
                {"kind": "application", "id": "support-bot"},
                {"kind": "principal", "id": "ana@corp.example", "name": "Ana"},
                {"kind": "tool", "id": "mcp-mail/send", "name": "send"},
                {"kind": "model", "id": "gpt-4o-2024-08-06"},
            ],
            "findings": ["f" * 64],
            "timeline": [
                {
                    "time": NOON,
                    "text": "ana@corp.example changed mcp-mail/send",
                    "evidence": EVIDENCE,
                },
                {"time": LATER, "text": "mcp-mail/send was called from 198.51.100.7"},
            ],
            "path": [
                {
                    "from": "application:support-bot",
                    "relation": "uses",
                    "to": "tool:mcp-mail/send",
                    "state": "walked",
                }
            ],
            "why": [
                {
                    "term": "family:runtime",
                    "value": 1.0,
                    "weight": 2400,
                    "points": 2400,
                    "evidence": EVIDENCE,
                }
            ],
            "next": [
                {
                    "technique": "AML.T0086",
                    "name": "Exfiltration via AI Agent Tool Invocation",
                    "probability": 0.62,
                    "horizon": "24h",
                    "precondition": "the agent may send mail",
                    "blocking_action": "Take mcp-mail/send from the agent",
                }
            ],
            "actions": [
                {
                    "text": "Take mcp-mail/send from the agent",
                    "control": "AML.M0026",
                    "effect": "-2400 points",
                }
            ],
            "evidence": EVIDENCE,
        },
    },
}


def but(told: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The same document with other values in these places."""
    copy: dict[str, Any] = json.loads(json.dumps(told))
    for path, value in changes.items():
        *above, name = path.split(">")
        place = copy
        for part in above:
            place = place[part]
        place[name] = value
    return copy


def test_an_alert_is_told_whole() -> None:
    assert document(body("a" * 64)) == PLAIN


def test_an_ended_alert_is_closed() -> None:
    told = body("a" * 64, 4, "final", status="resolved")
    assert document(told) == but(
        PLAIN,
        {
            "event>action": "alert-resolved",
            "event>id": "a" * 64 + "-4",
            "event>hash": told["body_sha256"],
            "barograph>revision": 4,
            "barograph>state": "final",
            "barograph>status": "resolved",
            "barograph>closed": True,
        },
    )


def test_a_withdrawn_alert_is_closed() -> None:
    told = body("a" * 64, 2, "withdrawn")
    assert document(told) == but(
        PLAIN,
        {
            "event>action": "alert-withdrawn",
            "event>id": "a" * 64 + "-2",
            "event>hash": told["body_sha256"],
            "barograph>revision": 2,
            "barograph>state": "withdrawn",
            "barograph>closed": True,
        },
    )


def test_hostile_texts_stay_what_they_are() -> None:
    entity = {"kind": "principal", "id": HOSTILE}
    told = body("a" * 64, title=HOSTILE, system=HOSTILE, entities=[entity], tags=[HOSTILE])
    harmless = {key: value for key, value in PLAIN.items() if key not in ("gen_ai", "threat")}
    assert document(told) == but(
        harmless,
        {
            "message": HOSTILE,
            "tags": [HOSTILE],
            "event>hash": told["body_sha256"],
            "service>name": HOSTILE,
            "related": {"user": [HOSTILE], "ip": ["198.51.100.7"]},
            "barograph>system": HOSTILE,
            "barograph>entities": [f"principal:{HOSTILE}"],
            "barograph>detail>entities": [entity],
        },
    )


def test_what_was_left_out_is_left_out() -> None:
    told = body("a" * 64)
    lists = ("entities", "findings", "timeline", "path", "why", "next", "actions", "tags")
    bare = document({key: value for key, value in told.items() if key not in (*lists, "evidence")})
    assert set(PLAIN) - set(bare) == {"tags", "threat", "related", "gen_ai"}
    assert bare["barograph"]["detail"] == {}
    assert "entities" not in bare["barograph"]


@pytest.mark.parametrize(
    ("tag", "threat"),
    [
        ("attack.t1059", {"framework": ["MITRE ATT&CK"], "technique": {"id": ["T1059"]}}),
        (
            "attack.t1059.001",
            {
                "framework": ["MITRE ATT&CK"],
                "technique": {"id": ["T1059"], "subtechnique": {"id": ["T1059.001"]}},
            },
        ),
        (
            "atlas.aml-t0034",
            {
                "framework": ["MITRE ATLAS"],
                "technique": {"id": ["AML.T0034"], "name": ["Cost Harvesting"]},
                "tactic": {"id": ["AML.TA0011"], "name": ["Impact"]},
            },
        ),
        (
            "attack.defense-evasion",
            {"framework": ["MITRE ATT&CK"], "tactic": {"name": ["Defense Evasion"]}},
        ),
        ("owasp.llm01", None),
        ("attack.", None),
    ],
)
def test_tags_name_techniques_and_tactics(tag: str, threat: dict[str, Any] | None) -> None:
    assert document(body("a", tags=[tag])).get("threat") == threat


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("from 198.51.100.7:443, then 2001:DB8::1.", ["198.51.100.7", "2001:db8::1"]),
        ("at 12:00:00 with 1.2.3 of abc", None),
        ("999.1.1.1 and fe80::1%eth0 :: std::a", ["fe80::1"]),
        ("198.51.100.7 198.51.100.7", ["198.51.100.7"]),
    ],
)
def test_addresses_of_the_timeline_are_related(text: str, addresses: list[str] | None) -> None:
    told = body("a", entities=[], timeline=[{"time": NOON, "text": text}])
    assert document(told).get("related", {}).get("ip") == addresses


def test_a_host_and_an_agent_have_their_fields() -> None:
    told = body(
        "a",
        timeline=[],
        entities=[
            {"kind": "host", "id": "192.0.2.4"},
            {"kind": "workload", "id": "ml/bot", "name": "bot"},
            {"kind": "agent", "id": "agent-7", "name": "Helper"},
            {"kind": "image", "id": "sha256:12", "name": "corp/bot:1"},
            {"kind": "vulnerability", "id": "CVE-2026-0001"},
        ],
    )
    found = document(told)
    assert found["related"] == {"hosts": ["192.0.2.4", "ml/bot", "bot"], "ip": ["192.0.2.4"]}
    assert found["gen_ai"] == {"agent": {"id": ["agent-7"], "name": ["Helper"]}}
    assert found["container"] == {"image": {"name": ["corp/bot:1"]}}
    assert found["vulnerability"] == {"id": ["CVE-2026-0001"]}


def test_a_text_is_no_longer_than_one_term() -> None:
    told = body("a", timeline=[{"time": NOON, "text": "\U0001f480" * 40_000}])
    (moment,) = document(told)["barograph"]["detail"]["timeline"]
    assert moment["text"] == "\U0001f480" * (LONGEST - 1) + "…"
    assert len(moment["text"].encode()) < 32_766 - 512


def mapped(properties: dict[str, Any], above: str = "") -> Iterator[str]:
    for name, field in properties.items():
        yield f"{above}{name}"
        yield from mapped(field.get("properties", {}), f"{above}{name}.")


def fields(told: dict[str, Any], above: str = "") -> Iterator[str]:
    for name, value in told.items():
        yield f"{above}{name}"
        if isinstance(value, dict) and f"{above}{name}" != "barograph.detail":
            yield from fields(value, f"{above}{name}.")


def test_every_field_is_in_the_templates() -> None:
    entities = [{"kind": kind, "id": "x", "name": "y"} for kind in KINDS]
    told = body("a", tags=["attack.t1059.001", "atlas.aml.t0051.001"], shortened=["why"])
    found = set(fields(document(told | {"entities": entities})))
    for name in ("elasticsearch", "opensearch"):
        template = json.loads((files("sinks") / "templates" / f"{name}.json").read_text("utf-8"))
        known = set(mapped(template["template"]["mappings"]["properties"]))
        assert found - known == set()


def test_the_templates_differ_in_what_the_products_call_it() -> None:
    texts = [
        (files("sinks") / "templates" / f"{name}.json").read_text("utf-8")
        for name in ("elasticsearch", "opensearch")
    ]
    flattened = '{"type": "flattened", "ignore_above": 8000}'
    assert texts[0].replace(flattened, '{"type": "flat_object"}') == texts[1]
