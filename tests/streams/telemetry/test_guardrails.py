"""What each vendor's answer says, in the forms that its documentation shows."""

from typing import Any

import pytest

from streams.telemetry.guardrails import answer
from streams.telemetry.verdicts import verdicts

ATTACK = {"type": "PROMPT_ATTACK", "confidence": "HIGH", "action": "BLOCKED"}
PII = {"type": "EMAIL", "match": "example", "action": "ANONYMIZED", "detected": True}


def said(record: dict[str, Any]) -> tuple[str | None, object, object]:
    """(vendor, verdict, category)."""
    found = answer(record)
    if found is None:
        return None, None, None
    kept = verdicts(*found[1])
    return found[0], kept.get("guardrail.verdict"), kept.get("guardrail.category")


def policy(**policies: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"action": "GUARDRAIL_INTERVENED", "assessments": [policies]}


@pytest.mark.parametrize(
    ("record", "verdict", "category"),
    [
        (policy(contentPolicy={"filters": [ATTACK]}), "deny", "prompt_attack"),  # before 2025
        (policy(contentPolicy={"filters": [ATTACK | {"detected": False}]}), "deny", None),
        (policy(sensitiveInformationPolicy={"piiEntities": [PII]}), "modify", "pii"),
        (
            policy(topicPolicy={"topics": [{"name": "x", "action": "BLOCKED"}]}),
            "deny",
            "denied_topic",
        ),
        (policy(wordPolicy={"customWords": [{"action": "BLOCKED"}]}), "deny", "denied_word"),
        (
            policy(
                contextualGroundingPolicy={"filters": [{"type": "GROUNDING", "action": "BLOCKED"}]}
            ),
            "deny",
            "ungrounded",
        ),
        ({"action": "NONE", "assessments": []}, "allow", None),
        ({"action": "GUARDRAIL_INTERVENED"}, "deny", None),
        (
            {
                "trace": {
                    "guardrail": {
                        "inputAssessment": {"g": {"contentPolicy": {"filters": [ATTACK]}}}
                    }
                }
            },
            "deny",
            "prompt_attack",
        ),
        (
            {
                "trace": {
                    "guardrail": {
                        "outputAssessments": {"g": [{"contentPolicy": {"filters": [ATTACK]}}]}
                    }
                }
            },
            "deny",
            "prompt_attack",
        ),
    ],
)
def test_bedrock(record: dict[str, Any], verdict: str, category: str | None) -> None:
    assert said(record) == ("aws.bedrock", verdict, category)


@pytest.mark.parametrize(
    ("record", "verdict", "category"),
    [
        ({"choices": [{"content_filter_results": {"hate": {"filtered": True}}}]}, "deny", "hate"),
        ({"choices": [{"content_filter_results": {"hate": {"severity": "safe"}}}]}, "allow", None),
        (
            {"prompt_annotations": [{"content_filter_results": {"self_harm": {"filtered": True}}}]},
            "deny",
            "self_harm",
        ),
        ({"userPromptAnalysis": {"attackDetected": False}, "documentsAnalysis": []}, "allow", None),
    ],
)
def test_azure(record: dict[str, Any], verdict: str, category: str | None) -> None:
    assert said(record) == ("azure", verdict, category)


@pytest.mark.parametrize(
    ("rail", "category"),
    [
        ("jailbreak detection heuristics", "jailbreak"),
        ("prompt security check", "prompt_attack"),
        ("injection detection", "malicious_code"),
        ("mask sensitive data on input", "pii"),
        ("self check facts", "ungrounded"),
        ("content safety check input $model=x", "harmful_content"),
        ("self check input", None),  # a policy of one's own
    ],
)
def test_nemo_says_what_it_looked_for_by_the_name(rail: str, category: str | None) -> None:
    record = {"log": {"activated_rails": [{"type": "input", "name": rail, "stop": True}]}}
    assert said(record) == ("nemo_guardrails", "deny", category)


@pytest.mark.parametrize(
    ("record", "found"),
    [
        (
            {
                "decision": "ScanDecision.BLOCK",
                "reason": "x",
                "score": 1.0,
                "scanner": "CODESHIELD",
            },
            ("llamafirewall", "deny", "malicious_code"),
        ),
        (
            {"decision": "allow", "reason": "default", "score": 0.0, "status": "success"},
            ("llamafirewall", "allow", None),
        ),
        (
            {"decision": "allow", "reason": "x", "score": 0.0, "status": "error"},
            ("llamafirewall", None, None),  # it did not look
        ),
        (
            {"data": {"attributes": {"action": "ABORT", "tags": ["jailbreak"]}}},
            ("datadog.ai_guard", "deny", "jailbreak"),
        ),
        (
            {"ai_guard": {"action": "DENY", "attack_categories": ["data-exfiltration"]}},
            ("datadog.ai_guard", "deny", "data_exfiltration"),
        ),
        ({"flagged": False, "metadata": {}}, ("lakera", "allow", None)),
        (
            {"results": [{"flagged": False, "categories": {"violence": False}}]},
            ("moderation", "allow", None),
        ),
        (
            {"is_safe": True, "classifications": [], "rules": [{"rule_name": "PII"}]},
            ("cisco.ai_defense", "allow", None),
        ),
        (
            {"sanitizationResult": {"filterMatchState": "NO_MATCH_FOUND", "filterResults": {}}},
            ("gcp.model_armor", "allow", None),
        ),
        (
            {
                "sanitizationResult": {
                    "filterMatchState": "MATCH_FOUND",
                    "sanitizationVerdict": "MODEL_ARMOR_SANITIZATION_VERDICT_BLOCK",
                    "filterResults": {
                        "rai": {
                            "raiFilterResult": {
                                "matchState": "MATCH_FOUND",
                                "raiFilterTypeResults": {
                                    "dangerous": {"matchState": "MATCH_FOUND"},
                                    "harassment": {"matchState": "NO_MATCH_FOUND"},
                                },
                            }
                        }
                    },
                }
            },
            ("gcp.model_armor", "deny", "harmful_content"),
        ),
        (
            {"categoriesAnalysis": [{"category": "Hate", "severity": 2}], "blocklistsMatch": []},
            ("azure", "warn", "hate"),
        ),
        ({"categoriesAnalysis": [{"category": "Hate", "severity": 0}]}, ("azure", "allow", None)),
        ({"action": "block", "category": "malicious"}, (None, None, None)),
        ({}, (None, None, None)),
    ],
)
def test_others(record: dict[str, Any], found: tuple[str | None, ...]) -> None:
    assert said(record) == found


@pytest.mark.parametrize(
    ("results", "category"),
    [
        ({"custom_blocklists": [{"filtered": True, "id": "names"}]}, "denied_word"),
        ({"custom_blocklists": {"filtered": True, "details": []}}, "denied_word"),
        ({"custom_blocklists": [], "hate": {"filtered": False, "severity": "safe"}}, None),
    ],
)
def test_a_refusal_of_azure_is_one_whatever_it_names(
    results: dict[str, Any], category: str | None
) -> None:
    inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": results}
    refusal = {"error": {"code": "content_filter", "innererror": inner}}
    assert said(refusal) == ("azure", "deny", category)
