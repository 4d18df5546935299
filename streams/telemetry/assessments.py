"""Assessments: what a guardrail of Amazon Bedrock saw and did, from its trace.

Read are the traces of Converse (`inputAssessment`, `outputAssessments`), of InvokeModel (`input`,
`outputs`) and the `assessments` of ApplyGuardrail. A filter that looked and found nothing says
nothing; one that found something and let it pass, a warning.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from streams.names import aws
from streams.records.untrusted import MOST, listing, mapping, text
from streams.source import Json
from streams.telemetry.verdicts import verdicts

# Policy -> its lists of what was found -> the category, or None: the one that the row tells.
_POLICIES: Final[dict[str, dict[str, str | None]]] = {
    "automatedReasoningPolicy": {"findings": "automated_reasoning"},
    "contentPolicy": {"filters": None},
    "contextualGroundingPolicy": {"filters": "grounding"},
    "sensitiveInformationPolicy": {"piiEntities": "pii", "regexes": "sensitive_information"},
    "topicPolicy": {"topics": "topic"},
    "wordPolicy": {"customWords": "word", "managedWordLists": "word"},
}
_SIDES: Final = ("inputAssessment", "outputAssessments", "input", "outputs", "outputAssessment")
_SECRETS: Final = frozenset({"AWS_ACCESS_KEY", "AWS_SECRET_KEY", "PASSWORD"})
_LEVELS: Final = frozenset({"LOW", "MEDIUM", "HIGH"})
_DEEP: Final = 4  # ids in lists in ids: nothing nests more


def judged(trace: Json, *actions: Json) -> dict[str, Json]:
    """`guardrail.*` attributes of a guardrail's trace; empty where none spoke.

    `actions` are what the answer says in general (`guardrail_intervened`, `INTERVENED`, `NONE`):
    they count where the trace tells nothing stronger.
    """
    found = decided(trace)
    if any(word in ("BLOCKED", "ANONYMIZED") for word, _ in found):
        return verdicts(*found)
    return verdicts(*found, *((action,) for action in actions if text(action, 64)))


def decided(trace: Json) -> list[tuple[str, str | None]]:
    """The word and category of each policy that found something."""
    return [one for assessment in assessments(trace) for one in _rows(assessment)]


def guardrails(trace: Json) -> list[str]:
    """The ids of the guardrails that a trace names."""
    names = {
        tail: None
        for side in _sides(trace)
        for name in mapping(side)
        if name not in _POLICIES and (tail := aws.tail(name))
    }
    return list(names)[:MOST]


def assessments(trace: Json) -> Iterator[dict[str, Json]]:
    """Each assessment, whichever side and guardrail it is of."""
    for side in _sides(trace):
        yield from _inside(side, _DEEP)


def _sides(trace: Json) -> Iterator[Json]:
    told = mapping(trace)
    if not told:
        return
    for key in _SIDES:
        side = told.get(key)
        if side is not None:
            yield from listing(side) or [side]
    yield from listing(told.get("assessments"))


def _inside(value: Json, deep: int) -> Iterator[dict[str, Json]]:
    if deep == 0:
        return
    if _POLICIES.keys() & mapping(value).keys():
        yield mapping(value)
        return
    for one in (listing(value) or list(mapping(value).values()))[:MOST]:
        yield from _inside(one, deep - 1)


def _rows(assessment: dict[str, Json]) -> Iterator[tuple[str, str | None]]:
    for policy, lists in _POLICIES.items():
        found = mapping(assessment.get(policy))
        if not found:
            continue
        for key, category in lists.items():
            for row in listing(found.get(key))[:MOST]:
                said = mapping(row)
                action = _action(said)
                if action is not None:
                    yield action, _category(said, category)


def _action(row: dict[str, Json]) -> str | None:
    action, seen = text(row.get("action"), 32), row.get("detected")
    if seen is False:
        return None
    if action not in (None, "NONE"):
        return action
    confident = text(row.get("confidence"), 16) in _LEVELS
    return "detected" if seen is True or (seen is None and action and confident) else None


def _category(row: dict[str, Json], category: str | None) -> str | None:
    kind = text(row.get("type"), 64)
    if category is None:
        return kind
    return "secrets" if kind in _SECRETS else category
