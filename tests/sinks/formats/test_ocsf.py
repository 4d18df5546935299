"""OCSF: every event is one of 1.8, whatever the alert says, and loses nothing of it."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from py_ocsf_models.events.findings.detection_finding import (  # type: ignore[import-untyped]
    DetectionFinding as Theirs,
)

from correlators.ruleset import builtin, parse
from infra.demo import scenario
from infra.replaying import Order, replay
from schemas.config import Config
from schemas.finding import State
from sinks.formats.ocsf import detection_finding, ended, product
from tests.sinks.alerts import HOSTILE, NOON, body
from tests.sinks.formats.bodies import bodies
from tests.sinks.formats.ocsf_extract import DetectionFinding
from tests.sinks.formats.ocsf_schema import Schema

STEP = "Take mcp-mail/send from the agent"
GOLDEN: dict[str, Any] = {
    "activity_id": 1,
    "activity_name": "Create",
    "category_name": "Findings",
    "category_uid": 2,
    "class_name": "Detection Finding",
    "class_uid": 2004,
    "confidence": "High",
    "confidence_id": 3,
    "confidence_score": 91,
    "end_time": 1767274200250,
    "evidences": [{"uid": "e" * 64, "data": {"sha256": "5" * 64}}],
    "finding_info": {
        "analytic": {
            "category": "Convergence",
            "name": "A poisoned tool is at work in support-bot",
            "type": "Rule",
            "type_id": 1,
            "uid": "tool_poisoning",
        },
        "attack_graph": {
            "edges": [
                {
                    "data": {"state": "walked"},
                    "is_directed": True,
                    "name": "uses",
                    "relation": "uses",
                    "source": "application:support-bot",
                    "target": "tool:mcp-mail/send",
                    "uid": "0",
                }
            ],
            "is_directed": True,
            "name": "Lineage path",
            "nodes": [
                {"name": "support-bot", "type": "application", "uid": "application:support-bot"},
                {"name": "mcp-mail/send", "type": "tool", "uid": "tool:mcp-mail/send"},
            ],
        },
        "attacks": [
            {
                "sub_technique": {"name": "Indirect", "uid": "AML.T0051.001"},
                "tactic": {"name": "Execution", "uid": "AML.TA0005"},
                "technique": {"name": "LLM Prompt Injection", "uid": "AML.T0051"},
                "version": "5.6.0",
            }
        ],
        "created_time": 1767268800000,
        "desc": "An injection reached an agent that may send mail; three families agree.",
        "first_seen_time": 1767268800000,
        "last_seen_time": 1767274200250,
        "modified_time": 1767274200250,
        "related_events": [
            {
                "desc": "ana@corp.example changed mcp-mail/send",
                "first_seen_time": 1767268800000,
                "uid": "e" * 64,
            }
        ],
        "related_events_count": 1,
        "tags": [
            {"name": "attack", "values": ["initial_access"]},
            {"name": "atlas", "values": ["aml.t0051.001"]},
            {"name": "owasp", "values": ["llm01-2025"]},
        ],
        "title": "A poisoned tool is at work in support-bot",
        "traits": [{"category": "Score", "name": "family:runtime", "values": ["2400"]}],
        "types": ["AI security posture"],
        "uid": "a1",
    },
    "is_alert": True,
    "message": "warning: A poisoned tool is at work in support-bot",
    "metadata": {
        "correlation_uid": body("a1")["thread"],
        "event_code": "tool_poisoning",
        "labels": ["state:provisional", "stage:warning"],
        "log_name": "alerts",
        "log_provider": "barograph",
        "log_version": "1",
        "logged_time": 1767274200250,
        "original_event_uid": "a1",
        "original_time": "2026-01-01T13:30:00.250000Z",
        "product": product(),
        "sequence": 1,
        "uid": "a1-1",
        "version": "1.8.0",
    },
    "observables": [
        {"name": f"resources[{n}].uid", "type": "Resource UID", "type_id": 10, "value": value}
        for n, value in enumerate(
            ["support-bot", "ana@corp.example", "mcp-mail/send", "gpt-4o-2024-08-06"]
        )
    ],
    "remediation": {"desc": f"1. {STEP} (-2400 points)", "references": ["AML.M0026"]},
    "resources": [
        {
            "name": "support-bot",
            "role": "Target",
            "role_id": 1,
            "type": "application",
            "uid": "support-bot",
        },
        {
            "name": "Ana",
            "role": "Actor",
            "role_id": 2,
            "type": "principal",
            "uid": "ana@corp.example",
        },
        {"name": "send", "role": "Related", "role_id": 4, "type": "tool", "uid": "mcp-mail/send"},
        {
            "name": "gpt-4o-2024-08-06",
            "role": "Related",
            "role_id": 4,
            "type": "ai_model",
            "uid": "gpt-4o-2024-08-06",
        },
    ],
    "risk_details": "stage warning, at most warning, on support-bot; next may be AML.T0086"
    " Exfiltration via AI Agent Tool Invocation (62% within 24h)",
    "risk_level": "Critical",
    "risk_level_id": 4,
    "risk_score": 87,
    "severity": "Critical",
    "severity_id": 5,
    "start_time": 1767268800000,
    "status": "New",
    "status_detail": "open",
    "status_id": 1,
    "time": 1767274200250,
    "type_name": "Detection Finding: Create",
    "type_uid": 200401,
    "unmapped": {
        "body_sha256": body("a1")["body_sha256"],
        "convergence": "tool_poisoning",
        "expires_at": "2026-01-02T13:30:00.250000Z",
        "findings": ["f" * 64],
        "next": body("a1")["next"],
        "peak_stage": "warning",
        "stage": "warning",
        "system": "support-bot",
        "why": body("a1")["why"],
    },
}


@pytest.fixture(scope="module")
def schema(shared: Path) -> Schema:
    return Schema(shared / "corpora" / "standards" / "ocsf")


def parsed(event: dict[str, Any]) -> None:
    """By our models of 1.8, and by those that Prowler's users have (1.5)."""
    DetectionFinding.model_validate(event)
    Theirs.model_validate(event)


def test_a_new_alert_is_said_whole() -> None:
    assert detection_finding(body("a1")) == GOLDEN


@pytest.mark.parametrize(
    ("revision", "state", "status", "activity", "said", "detail"),
    [
        (1, "provisional", "open", "Create", "New", "open"),
        (2, "settled", "open", "Update", "New", "open"),
        (3, "final", "resolved", "Close", "Resolved", "resolved"),
        (3, "final", "verified", "Close", "Resolved", "verified"),
        (3, "final", "expired", "Close", "Archived", "expired"),
        (3, "final", "superseded", "Close", "Archived", "superseded"),
        (3, "withdrawn", "open", "Close", "Suppressed", "withdrawn"),
    ],
)
def test_what_became_of_it(
    revision: int, state: State, status: str, activity: str, said: str, detail: str
) -> None:
    one = body("a", revision, state, status=status)
    event = detection_finding(one)
    told = event["activity_name"], event["status"], event["status_detail"]
    assert told == (activity, said, detail)
    assert event["is_alert"] is (activity != "Close")
    assert ended(one) is (activity == "Close")
    assert event["metadata"]["uid"] == f"a-{revision}"
    parsed(event)


@pytest.mark.parametrize(("stage", "is_alert"), [("outlook", False), ("watch", True)])
def test_an_outlook_rings_no_bell(stage: str, is_alert: bool) -> None:  # noqa: FBT001 - a table
    assert detection_finding(body("a", stage=stage))["is_alert"] is is_alert


@pytest.mark.parametrize(
    ("priority", "level"),
    [(0, 0), (19, 0), (20, 1), (40, 2), (60, 3), (79, 3), (80, 4), (100, 4)],
)
def test_the_level_of_risk_is_that_of_the_priority(priority: int, level: int) -> None:
    assert detection_finding(body("a", priority=priority))["risk_level_id"] == level


def test_a_technique_is_said_once_for_each_of_its_tactics() -> None:
    event = detection_finding(body("a", tags=["atlas.aml-t0012", "attack.t1078.004", "x"]))
    told = [
        (one["technique"]["uid"], one.get("tactic", {}).get("uid"), "sub_technique" in one)
        for one in event["finding_info"]["attacks"]
    ]
    assert ("T1078", None, True) in told
    assert {one for one, _, _ in told} == {"AML.T0012", "T1078"}
    assert len(told) == len(set(told)) > 2


def test_what_was_left_out_by_redaction_is_not_missed() -> None:
    lists = ("entities", "findings", "timeline", "path", "why", "next", "actions", "tags")
    kept = {name: value for name, value in body("a").items() if name not in (*lists, "evidence")}
    event = detection_finding(kept)
    parsed(event)
    assert {"resources", "evidences", "remediation", "observables"} & event.keys() == set()


def test_what_was_cut_is_said() -> None:
    event = detection_finding(body("a"), ("timeline", "path"))
    parsed(event)
    assert event["metadata"]["is_truncated"] is True
    assert event["metadata"]["labels"][2:] == ["shortened:timeline", "shortened:path"]


def test_hostile_texts_stay_what_they_are() -> None:
    event = detection_finding(body("a", title=HOSTILE, summary=HOSTILE))
    parsed(orjson.loads(orjson.dumps(event)))
    assert event["finding_info"]["title"] == event["finding_info"]["desc"] == HOSTILE


@given(bodies())
@settings(max_examples=50)
def test_every_alert_is_an_event_of_1_8(one: dict[str, Any]) -> None:
    event = detection_finding(one)
    parsed(event)
    assert orjson.loads(orjson.dumps(event)) == event
    assert event["finding_info"]["uid"] == one["id"]


def test_the_schema_finds_nothing(schema: Schema) -> None:
    @given(bodies())
    @settings(max_examples=50)
    def found(one: dict[str, Any]) -> None:
        assert schema.problems(detection_finding(one)) == []

    found()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"invented": 1}, "knows no invented"),
        ({"severity": "High"}, "severity is not 'Critical', as severity_id says"),
        ({"status_id": 77}, "status_id is 77, which is not of its enumeration"),
        ({"time": NOON}, "is '2026-01-01T12:00:00.000000Z' and no timestamp_t"),
        ({"resources": {}}, "resources is no array"),
        ({"comment": "x"}, "comment is deprecated"),
        ({"notes": []}, "knows no notes"),
        ({"priority_id": 1}, "knows no priority_id"),
        ({"evidences": [{"uid": "x"}]}, "has 0 of actor, api"),
        ({"finding_info": {"title": "x"}}, "finding_info has no uid"),
        ({"is_alert": 1}, "is_alert is 1 and no boolean_t"),
        ({"type_uid": 200499}, "type_uid is not that of class and activity"),
        ({"category_uid": 3}, "category_uid is not that of the class"),
    ],
)
def test_the_schema_finds_what_is_wrong(
    schema: Schema, change: dict[str, Any], problem: str
) -> None:
    assert problem in "; ".join(schema.problems(GOLDEN | change))


def test_the_alerts_of_the_demo(schema: Schema, tmp_path: Path) -> None:
    scenario.write(tmp_path / "input")
    replay(Config(), parse(builtin()), [str(tmp_path / "input")], tmp_path, Order())
    lines = (tmp_path / "alerts.jsonl").read_bytes().splitlines()
    events = [detection_finding(orjson.loads(line)) for line in lines]
    assert len(events) > 10
    for event in events:
        parsed(event)
        assert schema.problems(event) == []
