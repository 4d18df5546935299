import orjson
import pytest

from schemas.event import EventEvidence
from schemas.times import rfc3339
from streams.source import Raw
from streams.sources import copilot
from tests.streams.sources.parsed import edges, events, keys, reasons

AGENT = "agent:CopilotStudio.Declarative.triage"
SITE = "datastore:sharepoint/example.sharepoint.com/sites/claims"
TENANT = "00000000-0000-4000-8000-00000000000b"


def test_an_interaction_with_an_agent() -> None:
    event = events("copilot.jsonl")[0]
    assert event.uid == "00000000-0000-4000-8000-000000000101"
    assert rfc3339(event.time) == "2026-03-04T05:06:01.000000Z"
    assert (event.class_name, event.activity, event.status) == (
        "API Activity",
        "CopilotInteraction",
        "success",
    )
    assert event.actor is not None
    assert event.actor.key == "principal:lena@example.com"
    assert event.client is not None
    assert event.client.ip == "203.0.113.7"
    assert keys(event) == [
        AGENT,
        "model:deep_example",
        "session:19:example@thread.v2",
        "tool:CopilotStudio.Declarative.triage/BingWebSearch",
        SITE,
        "principal:lena@example.com",
        f"account:{TENANT}",
    ]
    assert edges(event) == [
        f"principal:lena@example.com uses {AGENT}",
        f"{AGENT} calls model:deep_example",
        f"{AGENT} uses tool:CopilotStudio.Declarative.triage/BingWebSearch",
        f"{AGENT} retrieves {SITE}",
    ]
    assert event.attributes == {
        "api.operation": "CopilotInteraction",
        "api.service": "Copilot",
        "cloud.account.id": TENANT,
        "copilot.app_host": "Teams",
        "copilot.app_identity": "Copilot.Studio.triage",
        "copilot.contexts": ["docx"],
        "copilot.messages": 2,
        "copilot.region": "de",
        "copilot.resources": 1,
        "copilot.sensitivity_labels": ["00000000-0000-4000-8000-0000000000ff"],
        "gen_ai.agent.id": "CopilotStudio.Declarative.triage",
        "gen_ai.agent.name": "Triage",
        "gen_ai.conversation.id": "19:example@thread.v2",
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.provider.name": "microsoft.copilot",
        "gen_ai.response.model": "DEEP_EXAMPLE",
        "guardrail.category": "jailbreak",
        "guardrail.verdict": "warn",
    }


def test_a_file_with_an_attack_in_it_that_was_not_given() -> None:
    event = events("copilot.jsonl")[1]
    assert event.attributes["guardrail.verdict"] == "deny"
    assert event.attributes["guardrail.category"] == "indirect_attack"
    assert keys(event)[0] == "agent:copilot/bizchat"


def test_other_workloads() -> None:
    login, rule = events("copilot.jsonl")[2:]
    assert (login.class_uid, login.status) == (3002, "failure")
    assert login.client is not None
    assert login.client.ip == "::ffff:203.0.113.9"
    assert (rule.class_uid, rule.activity, rule.status) == (6003, "New-InboxRule", "success")


def test_results_of_searches_hold_the_same_records() -> None:
    found = events("copilot.jsonl")
    assert [one.uid for one in events("copilot.search.json")] == [one.uid for one in found[:2]]
    assert [one.uid for one in events("copilot.graph.json")] == [found[1].uid]


def test_what_is_always_normalised() -> None:
    assert copilot.NARROW.time == "CreationTime"
    assert "copilotinteraction" in copilot.NARROW.relevant["Operation"]
    values = [value for values in copilot.NARROW.relevant.values() for value in values]
    assert values == [value.lower() for value in values]


def test_what_is_no_record() -> None:
    assert reasons("copilot.bad.json") == ["no-time", "wrong-shape", "bad-time"]


@pytest.mark.parametrize(
    ("told", "model"),
    [
        ({"ModelName": "GPT-4o", "ModelVersion": "2024-08-06"}, "gpt-4o-2024-08-06"),
        ({"ModelName": "gpt-4o-2024-08-06", "ModelVersion": "2024-08-06"}, "gpt-4o-2024-08-06"),
        ({"ModelName": "DEEP_LEO"}, "deep_leo"),
    ],
)
def test_a_model_is_the_same_as_in_the_logs_of_azure(told: dict[str, str], model: str) -> None:
    record = {
        "CreationTime": "2026-03-04T05:06:07",
        "Operation": "CopilotInteraction",
        "CopilotEventData": {"ModelTransparencyDetails": [told]},
    }
    evidence = EventEvidence(origin="file:x#1", sha256="0" * 64)
    found = copilot.event(Raw(b""), record, evidence).event
    assert f"model:{model}" in keys(found)


def test_what_is_said_of_copilot_may_be_a_text() -> None:
    said = {
        "CreationTime": "2026-03-04T05:06:01",
        "Operation": "ConnectedAIAppInteraction",
        "RecordType": "ConnectedAIAppInteraction",
        "Workload": "ConnectedAIApp",
        "UserId": "Lena@example.com",
        "CopilotEventData": orjson.dumps({"AppHost": "Teams", "ThreadId": "t-1"}).decode(),
    }
    evidence = EventEvidence(origin="file:x#1", sha256="0" * 64)
    event = copilot.event(Raw(b""), said, evidence).event
    assert keys(event)[:2] == ["agent:copilot/teams", "session:t-1"]
    assert edges(event) == ["principal:lena@example.com uses agent:copilot/teams"]
