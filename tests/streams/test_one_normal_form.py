"""One normal form: the same detection sees the same thing in every vendor's words."""

from typing import Any, NamedTuple

import orjson
import pytest

from correlators.normal import logsource, normal_form
from correlators.ruleset import Ruleset
from correlators.sigma.matcher import runs_on
from infra.rules import load
from schemas.config import Limits, RulesConfig
from schemas.event import Reject
from streams.reading import Reader
from streams.source import named

BLOCKED, ALLOWED = "guardrail_blocked_prompt_attack", "guardrail_allowed_prompt_attack"
TIME = "2026-03-04T05:06:07Z"


class Said(NamedTuple):
    source: str
    record: dict[str, Any]


def otlp(**attributes: str) -> dict[str, Any]:
    pairs = [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()]
    return {"kind": 3, "endTimeUnixNano": "1772600767000000000", "attributes": pairs}


def bedrock(action: str) -> dict[str, Any]:
    found = {"type": "PROMPT_ATTACK", "confidence": "HIGH", "action": action, "detected": True}
    answer = {"action": "NONE", "assessments": [{"contentPolicy": {"filters": [found]}}]}
    return {"time": TIME, "guardrailId": "gr1", "response": answer}


def azure(*, filtered: bool) -> dict[str, Any]:
    results = {"jailbreak": {"filtered": filtered, "detected": True}}
    return {"created": 1772600767, "prompt_filter_results": [{"content_filter_results": results}]}


def litellm(status: str, *categories: str) -> dict[str, Any]:
    said = {"guardrail_name": "shield", "guardrail_status": status}
    return {
        "call_type": "completion",
        "custom_llm_provider": "openai",
        "endTime": TIME,
        "guardrail_information": [{**said, "violation_categories": list(categories)}],
    }


def airs(action: str) -> dict[str, Any]:
    detected = {"injection": True, "dlp": False}
    ids = {"scan_id": "s1", "report_id": "r1", "completed_at": TIME}
    return ids | {"action": action, "category": "malicious", "prompt_detected": detected}


REFUSED = {
    "Bedrock": Said("guardrail", bedrock("BLOCKED")),
    "Azure": Said("guardrail", azure(filtered=True)),
    "LiteLLM": Said("litellm", litellm("guardrail_intervened", "prompt_injection")),
    "LiteLLM, old": Said(
        "litellm",
        {
            **litellm("failure"),
            "status": "failure",
            "guardrail_information": {"guardrail_status": "failure", "guardrail_name": "jailbreak"},
        },
    ),
    "NeMo": Said(
        "guardrail",
        {
            "time": TIME,
            "log": {"activated_rails": [{"name": "jailbreak detection model", "stop": True}]},
        },
    ),
    "Prisma AIRS": Said("guardrail", airs("block")),
    "LlamaFirewall": Said(
        "guardrail",
        {"time": TIME, "decision": "block", "reason": "PROMPT_GUARD: 0.99", "score": 0.99},
    ),
    "Datadog AI Guard": Said(
        "guardrail",
        {"time": TIME, "ai_guard.action": "DENY", "ai_guard.attack_categories": ["jailbreak"]},
    ),
    "Cisco AI Defense": Said(
        "guardrail",
        {"time": TIME, "is_safe": False, "action": "Block", "classifications": []}
        | {"rules": [{"rule_name": "Prompt Injection"}]},
    ),
    "DefenseClaw": Said(
        "defenseclaw",
        {"ts": TIME, "event_type": "verdict"}
        | {"verdict": {"action": "block", "categories": ["prompt_injection"]}},
    ),
    "Agent mesh": Said(
        "cloudevents",
        {"specversion": "1.0", "id": "1", "type": "ai.agentmesh.tool.blocked", "time": TIME}
        | {"source": "did:mesh:a", "data": {"agent_id": "a", "category": "prompt injection"}},
    ),
    "OpenTelemetry, proposed": Said(
        "otel",
        otlp(
            **{
                "gen_ai.security.verdict.type": "deny",
                "gen_ai.security.risk.category": "prompt_injection",
            }
        ),
    ),
}
WATCHED = {
    "Bedrock": Said("guardrail", bedrock("NONE")),
    "Azure": Said("guardrail", azure(filtered=False)),
    "Azure Prompt Shields": Said(
        "guardrail", {"time": TIME, "userPromptAnalysis": {"attackDetected": True}}
    ),
    "Prisma AIRS": Said("guardrail", airs("allow")),
    "Lakera": Said(
        "guardrail",
        {"time": TIME, "flagged": True, "metadata": {}}
        | {"breakdown": [{"detector_type": "prompt_attack", "detected": True}]},
    ),
    "Model Armor": Said(
        "guardrail",
        {
            "time": TIME,
            "sanitizationResult": {
                "filterMatchState": "MATCH_FOUND",
                "filterResults": {"pi_and_jailbreak": {"matchState": "MATCH_FOUND"}},
            },
        },
    ),
    "Datadog AI Guard": Said(
        "guardrail",
        {"time": TIME, "ai_guard.action": "DENY", "ai_guard.attack_categories": ["jailbreak"]}
        | {"ai_guard.blocked": False},
    ),
    "OpenTelemetry, proposed": Said(
        "otel",
        otlp(
            **{
                "gen_ai.security.verdict.type": "warn",
                "gen_ai.security.risk.category": "jailbreak",
            }
        ),
    ),
}


@pytest.fixture(scope="module")
def rules() -> Ruleset:
    return load(RulesConfig())


def matched(rules: Ruleset, said: Said, about: str = "_prompt_attack") -> set[str]:
    """The built-in detections with that in their name that match a record, as it comes in."""
    reader = Reader(named(said.source), "file:x", Limits())
    (outcome,) = reader.read(orjson.dumps(said.record), 0)
    assert not isinstance(outcome.result, Reject), outcome.result
    event, private = outcome.result
    form, where = normal_form(event, private), logsource(event)
    return {
        rule.detection.id
        for rule in rules.rules
        if about in rule.detection.id
        and runs_on(rule.detection.logsource, where)
        and rule.matches(form)
    }


@pytest.mark.parametrize("vendor", REFUSED)
def test_a_refused_prompt_attack(rules: Ruleset, vendor: str) -> None:
    assert matched(rules, REFUSED[vendor]) == {BLOCKED}


@pytest.mark.parametrize("vendor", WATCHED)
def test_a_prompt_attack_that_went_through(rules: Ruleset, vendor: str) -> None:
    assert matched(rules, WATCHED[vendor]) == {ALLOWED}


@pytest.mark.parametrize(
    "said",
    [
        Said("guardrail", {"time": TIME, "action": "NONE", "assessments": []}),
        Said("guardrail", {"time": TIME, "log": {"activated_rails": [{"name": "jailbreak"}]}}),
        Said("guardrail", airs("allow") | {"prompt_detected": {}, "category": "benign"}),
        Said("litellm", litellm("success")),
        Said("litellm", litellm("guardrail_intervened", "pii")),
    ],
)
def test_nothing_of_the_kind(rules: Ruleset, said: Said) -> None:
    assert matched(rules, said) == set()


KEY = "AKIAEXAMPLE000000000"


def captured(message: dict[str, Any]) -> Said:
    place = {"timestamp": TIME, "server_url": "https://pages.example/mcp"}
    return Said("mcp_jsonrpc", place | {"message": {"jsonrpc": "2.0", "id": 1} | message})


def asked(**said: object) -> Said:
    record = {"call_type": "completion", "custom_llm_provider": "openai", "endTime": TIME}
    return Said("litellm", record | said)


@pytest.mark.parametrize(
    ("said", "ids"),
    [
        (asked(messages=[{"role": "user", "content": f"Use {KEY}"}]), {"secret_in_prompt"}),
        (asked(response={"content": KEY}), {"secret_in_model_output"}),
        (Said("otel", otlp(**{"gen_ai.input.messages": KEY})), {"secret_in_prompt"}),
        (
            captured({"method": "tools/call", "params": {"name": "x", "arguments": {"a": KEY}}}),
            {"secret_in_model_output"},
        ),
        (captured({"result": {"content": [{"text": "a\U000e0041b"}]}}), {"hidden_text_in_prompt"}),
        (asked(response={"content": "DE89 3704 0044 0532 0130 00"}), {"pii_in_model_output"}),
        (asked(response={"content": "ada@example.com"}), set[str]()),
    ],
)
def test_content_of_every_source(rules: Ruleset, said: Said, ids: set[str]) -> None:
    assert matched(rules, said, "_in_prompt") | matched(rules, said, "_in_model_output") == ids
