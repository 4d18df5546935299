from schemas.times import rfc3339
from tests.streams.sources.parsed import events, keys, reasons

SUBSCRIPTION = "00000000-0000-4000-8000-00000000000d"
CLAIMS = (
    f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg-ai"
    "/providers/microsoft.cognitiveservices/accounts/claims"
)
PROVIDERS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers"


def test_an_alert_for_an_ai_workload() -> None:
    (event,) = events("defender.json")
    assert rfc3339(event.time) == "2026-03-04T05:06:07.123456Z"
    assert (event.class_uid, event.class_name, event.activity, event.severity) == (
        2004,
        "Detection Finding",
        "Create",
        "medium",
    )
    assert event.actor is not None
    assert event.actor.key == "principal:lena@example.com"
    assert event.client is not None
    assert event.client.ip == "198.51.100.9"
    assert keys(event) == [
        "endpoint:azure/claims/gpt-example",
        "principal:lena@example.com",
        f"account:{SUBSCRIPTION}",
    ]
    assert event.finding is not None
    assert event.finding.model_dump(exclude={"uid"}, exclude_none=True) == {
        "title": "A Jailbreak attempt on an Azure AI model deployment was blocked",
        "state": "open",
        "check": "AI.Azure_Jailbreak.ContentFiltering.BlockedAttempt",
        "location": "0001_example",
    }
    assert event.attributes == {
        "cloud.account.id": SUBSCRIPTION,
        "cloud.resource_id": CLAIMS,
        "defender.alert.id": "0001_example",
        "defender.alert.type": "AI.Azure_Jailbreak.ContentFiltering.BlockedAttempt",
        "defender.intent": "PrivilegeEscalation",
        "defender.status": "Active",
        "guardrail.category": "jailbreak",
        "guardrail.verdict": "deny",
        "scan.tool": "defender",
    }


def test_an_export_and_a_table_say_the_same_in_their_way() -> None:
    exported, row = events("defender.lines.jsonl")
    assert exported.finding is not None
    assert (exported.activity, exported.finding.state, exported.severity) == (
        "Close",
        "resolved",
        "high",
    )
    assert keys(exported)[0] == "endpoint:azure/claims"
    assert exported.attributes["guardrail.category"] == "secret"
    assert keys(row)[0] == "endpoint:azure/claims/gpt-example"
    assert row.attributes["guardrail.category"] == "tool_misuse"
    assert row.client is not None
    assert row.client.ip == "203.0.113.5"


def test_what_is_healthy_or_does_not_apply_is_closed() -> None:
    found = events("defender.assessments.json")
    assert [(one.activity, one.attributes["defender.status"]) for one in found] == [
        ("Create", "Unhealthy"),
        ("Close", "Healthy"),
        ("Close", "NotApplicable"),
    ]
    assert {keys(one)[0] for one in found} == {"datastore:azure/training"}
    assert {one.severity for one in found} == {"high"}


def test_a_vulnerability_of_a_machine_has_no_time() -> None:
    (event,) = events("defender.machines.json")
    assert (event.class_uid, event.time, event.severity) == (2002, 0, "critical")
    assert keys(event) == ["host:0000000000example"]
    assert event.attributes["time.unknown"] is True


def test_what_is_neither() -> None:
    assert reasons("defender.bad.json") == ["no-time", "wrong-shape", "bad-time"]
