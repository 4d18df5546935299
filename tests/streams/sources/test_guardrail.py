"""Stored answers of guardrails, one vendor after the other."""

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
    found = [one.result for one in outcomes(str(EXAMPLES / name), Limits(), named("guardrail"))]
    assert not [one for one in found if isinstance(one, Reject)]
    return [one for one in found if not isinstance(one, Reject)]


def body(event: Event) -> dict[str, Any]:
    return {key: value for key, value in event.body().items() if key != "evidence"}


def test_bedrock() -> None:
    event, _ = parsed("guardrail.jsonl")[0]
    assert body(event) == {
        "uid": "6f2505529be23b28da8b6372e47441a9",
        "time": "2026-03-04T05:06:07.000000Z",
        "source": "guardrail",
        "class_uid": 6003,
        "class_name": "API Activity",
        "activity": "apply_guardrail",
        "status": "success",
        "severity": "informational",
        "message": "apply_guardrail guardrail:gr1",
        "actor": {"kind": "principal", "id": "ada@example.com"},
        "entities": [
            {"kind": "guardrail", "id": "gr1"},
            {"kind": "session", "id": "s-1"},
            {"kind": "principal", "id": "ada@example.com"},
            {"kind": "application", "id": "claims"},
        ],
        "edges": [
            {
                "from": {"kind": "application", "id": "claims"},
                "relation": "guarded_by",
                "to": {"kind": "guardrail", "id": "gr1"},
                "declared": False,
                "state": "open",
            }
        ],
        "attributes": {
            "gen_ai.conversation.id": "s-1",
            "gen_ai.guardrail.id": "gr1",
            "gen_ai.output.messages.size": 25,
            "guardrail.vendor": "aws.bedrock",
            "guardrail.request": "g1",
            "service.name": "claims",
            "user.id": "ada@example.com",
            "aws.bedrock.guardrail.id": "gr1",
            "guardrail.verdict": "deny",
            "guardrail.category": "prompt_attack",
        },
    }


def test_one_vocabulary() -> None:
    found = parsed("guardrail.jsonl") + parsed("guardrail.azure.json")
    found += parsed("guardrail.moderation.json")
    assert [
        (
            event.attributes["guardrail.vendor"],
            event.attributes["guardrail.verdict"],
            event.attributes.get("guardrail.category"),
        )
        for event, _ in found
    ] == [
        ("aws.bedrock", "deny", "prompt_attack"),
        ("nemo_guardrails", "deny", "jailbreak"),
        ("llamafirewall", "deny", "jailbreak"),
        ("prisma_airs", "allow", "prompt_attack"),
        ("lakera", "warn", "prompt_attack"),
        ("datadog.ai_guard", "deny", "indirect_attack"),
        ("gcp.model_armor", "warn", "prompt_attack"),
        ("cisco.ai_defense", "deny", "prompt_attack"),
        ("azure", "warn", "jailbreak"),
        ("azure", "deny", "jailbreak"),
        ("azure", "warn", "indirect_attack"),
        ("moderation", "warn", "self_harm"),
    ]


def test_what_model_armor_logs() -> None:
    ((event, private),) = parsed("guardrail.armor.json")
    assert [one.key for one in event.entities] == ["guardrail:tpl-1"]
    assert event.attributes["guardrail.verdict"] == "deny"
    assert event.attributes["guardrail.category"] == "prompt_attack"
    assert private == {"gen_ai.output.messages": "do-not-store"}


def test_texts_that_azure_analysed_and_what_datadog_evaluated() -> None:
    ((analysed, _),) = parsed("guardrail.analysed.json")
    assert analysed.attributes["guardrail.category"] == ["denied_word", "hate"]
    ((evaluated, _),) = parsed("guardrail.evaluation.json")
    assert evaluated.attributes["guardrail.verdict"] == "deny"


def test_times_of_answers_that_say_one() -> None:
    assert parsed("guardrail.azure.json")[0].event.time == 1_772_600_767_000_000  # `created`
    assert parsed("guardrail.jsonl")[3].event.time == 1_772_600_767_000_000  # `completed_at`


def test_the_prompt_is_private() -> None:
    assert parsed("guardrail.jsonl")[1].private["gen_ai.input.messages"] == "do-not-store"


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b'{"flagged":true,"metadata":{"request_uuid":"u"}}', "no-time"),
        (b'{"time":"2026-03-04T05:06:07Z","action":"retry"}', "wrong-shape"),
    ],
)
def test_what_is_rejected(read: Read, document: bytes, reason: str) -> None:
    (outcome,) = read(named("guardrail"), document)
    assert isinstance(outcome.result, Reject)
    assert outcome.result.reason == reason
