"""UDM: every event is one of the model, and says what became of the alert."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings

from schemas.finding import State
from schemas.rows import Result
from sinks.formats.product import version
from sinks.formats.udm import event
from tests.sinks.alerts import EVIDENCE, HOSTILE, LATER, NOON, alert, body
from tests.sinks.formats.bodies import bodies
from tests.sinks.formats.udm_extract import Udm

GOLDEN: dict[str, Any] = {
    "metadata": {
        "eventTimestamp": LATER,
        "eventType": "GENERIC_EVENT",
        "vendorName": "Barograph",
        "productName": "Barograph",
        "productVersion": version(),
        "productEventType": "alert.opened",
        "productLogId": "a1-1",
        "description": "A poisoned tool is at work in support-bot",
    },
    "principal": {
        "user": {
            "userid": "ana@corp.example",
            "userDisplayName": "Ana",
            "emailAddresses": ["ana@corp.example"],
        }
    },
    "target": {
        "application": "support-bot",
        "resource": {
            "name": "support-bot",
            "productObjectId": "support-bot",
            "resourceSubtype": "ai_system",
        },
    },
    "about": [
        {
            "resource": {
                "name": "support-bot",
                "productObjectId": "support-bot",
                "resourceSubtype": "application",
            }
        },
        {
            "resource": {
                "name": "send",
                "productObjectId": "mcp-mail/send",
                "resourceSubtype": "tool",
            }
        },
        {
            "resource": {
                "name": "gpt-4o-2024-08-06",
                "productObjectId": "gpt-4o-2024-08-06",
                "resourceSubtype": "model",
            }
        },
    ],
    "securityResult": [
        {
            "ruleId": "tool_poisoning",
            "ruleName": "A poisoned tool is at work in support-bot",
            "summary": "A poisoned tool is at work in support-bot",
            "description": "An injection reached an agent that may send mail; three families"
            " agree.",
            "categoryDetails": ["tool_poisoning"],
            "severity": "CRITICAL",
            "severityDetails": "critical",
            "priority": "HIGH_PRIORITY",
            "confidence": "HIGH_CONFIDENCE",
            "confidenceScore": 91.0,
            "riskScore": 87.0,
            "alertState": "ALERTING",
            "actionDetails": "Take mcp-mail/send from the agent",
            "attackDetails": {
                "version": "5.6.0",
                "tactics": [{"id": "AML.TA0005", "name": "Execution"}],
                "techniques": [
                    {
                        "id": "AML.T0051",
                        "name": "LLM Prompt Injection",
                        "subtechniqueId": "AML.T0051.001",
                        "subtechniqueName": "Indirect",
                    }
                ],
            },
            "detectionFields": [
                {"key": "alert_id", "value": "a1"},
                {"key": "revision", "value": "1"},
                {"key": "change", "value": "opened"},
                {"key": "state", "value": "provisional"},
                {"key": "status", "value": "open"},
                {"key": "stage", "value": "warning"},
                {"key": "peak_stage", "value": "warning"},
                {"key": "thread", "value": body("a1")["thread"]},
                {"key": "first_time", "value": NOON},
                {"key": "onset_time", "value": NOON},
                {"key": "last_time", "value": LATER},
                {"key": "expires_at", "value": "2026-01-02T13:30:00.250000Z"},
                {"key": "body_sha256", "value": body("a1")["body_sha256"]},
            ],
        }
    ],
    "additional": {
        "actions": body("a1")["actions"],
        "evidence": EVIDENCE,
        "findings": ["f" * 64],
        "next": body("a1")["next"],
        "path": body("a1")["path"],
        "tags": body("a1")["tags"],
        "timeline": body("a1")["timeline"],
        "why": body("a1")["why"],
    },
}


def parsed(said: dict[str, Any]) -> None:
    Udm.model_validate(orjson.loads(orjson.dumps(said)))


def test_a_new_alert_is_said_whole() -> None:
    assert event(alert("a1")) == GOLDEN
    parsed(GOLDEN)


@pytest.mark.parametrize(
    ("state", "status", "stage", "told", "alerting"),
    [
        ("provisional", "open", "warning", "alert.updated", "ALERTING"),
        ("provisional", "open", "outlook", "alert.updated", "NOT_ALERTING"),
        ("final", "resolved", "warning", "alert.resolved", "NOT_ALERTING"),
        ("final", "expired", "warning", "alert.expired", "NOT_ALERTING"),
        ("withdrawn", "open", "warning", "alert.withdrawn", "NOT_ALERTING"),
    ],
)
def test_what_became_of_it(state: State, status: str, stage: str, told: str, alerting: str) -> None:
    said = event(alert("a", 2, state, status=status, stage=stage))
    assert said["metadata"]["productEventType"] == told
    assert said["securityResult"][0]["alertState"] == alerting
    assert said["metadata"]["productLogId"] == "a-2"


def test_hostile_texts_stay_what_they_are_and_are_no_mail() -> None:
    who = {"kind": "principal", "id": f"{HOSTILE}@corp.example"}
    said = event(alert("a", title=HOSTILE, system=HOSTILE, entities=[who]), ("timeline",))
    parsed(said)
    assert said["securityResult"][0]["summary"] == HOSTILE
    assert said["principal"] == {"user": {"userid": f"{HOSTILE}@corp.example"}}
    assert "about" not in said
    assert said["additional"]["shortened"] == ["timeline"]


@given(bodies())
@settings(max_examples=50)
def test_every_alert_is_an_event(one: dict[str, Any]) -> None:
    parsed(event(Result("alert", one["id"], 0, one["meta"]["state"], one)))
