from typing import Any

import pytest

from streams.telemetry.assessments import guardrails, judged


def filters(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"inputAssessment": {"gr1": {"contentPolicy": {"filters": list(rows)}}}}


ATTACK = {"type": "PROMPT_ATTACK", "confidence": "HIGH", "filterStrength": "HIGH"}
QUIET = {"type": "HATE", "confidence": "NONE", "action": "NONE", "detected": False}


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        ({"action": "BLOCKED", "detected": True}, "deny"),
        ({"action": "BLOCKED"}, "deny"),
        ({"action": "NONE", "detected": True}, "warn"),
        ({"action": "NONE"}, "warn"),
        ({"action": "NONE", "confidence": "NONE"}, None),
        ({"action": "NONE", "detected": False}, None),
        ({"action": 7}, None),
        ({}, None),
    ],
)
def test_a_prompt_attack(row: dict[str, Any], verdict: str | None) -> None:
    expected = {"guardrail.verdict": verdict, "guardrail.category": "prompt_attack"}
    assert judged(filters(ATTACK | row, QUIET)) == (expected if verdict else {})


@pytest.mark.parametrize(
    ("policy", "key", "row", "category"),
    [
        ("topicPolicy", "topics", {"name": "x", "type": "DENY"}, "denied_topic"),
        ("wordPolicy", "customWords", {"match": "x"}, "denied_word"),
        ("wordPolicy", "managedWordLists", {"type": "PROFANITY"}, "denied_word"),
        ("sensitiveInformationPolicy", "piiEntities", {"type": "EMAIL"}, "pii"),
        ("sensitiveInformationPolicy", "piiEntities", {"type": "AWS_SECRET_KEY"}, "secret"),
        ("sensitiveInformationPolicy", "regexes", {"name": "x"}, "pii"),
        ("contextualGroundingPolicy", "filters", {"type": "GROUNDING"}, "ungrounded"),
        ("contentPolicy", "filters", {"type": "INSULTS"}, "hate"),
    ],
)
@pytest.mark.parametrize("side", ["outputs", "outputAssessments", "assessments"])
def test_policies(policy: str, key: str, row: dict[str, Any], category: str, side: str) -> None:
    inside = {policy: {key: [row | {"action": "BLOCKED"}]}}
    trace = {side: {"gr1": [inside]} if side == "outputAssessments" else [inside]}
    assert judged(trace) == {"guardrail.verdict": "deny", "guardrail.category": category}


def test_the_answer_speaks_where_the_trace_is_silent() -> None:
    assert judged(None, "guardrail_intervened") == {"guardrail.verdict": "deny"}
    assert judged(filters(QUIET), "end_turn", "NONE") == {"guardrail.verdict": "allow"}
    assert judged(None, None, 7) == {}
    masked = {"sensitiveInformationPolicy": {"piiEntities": [{"action": "ANONYMIZED"}]}}
    assert judged({"assessments": [masked]}, "INTERVENED")["guardrail.verdict"] == "modify"


def test_the_guardrails_of_a_trace() -> None:
    arn = "arn:aws:bedrock:eu-west-1:111122223333:guardrail/gr2"
    trace = filters(QUIET) | {"outputAssessments": {arn: [], "gr1": []}}
    assert guardrails(trace) == ["gr1", "gr2"]
    assert guardrails({"assessments": [{"topicPolicy": {}}]}) == []
    assert guardrails("odd") == []
