"""SARIF: what a gate has found, a result for each violation; waived ones are suppressed ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from correlators.gating import Result, Verdict
from correlators.judging import gravest
from correlators.violations import Violation
from infra.gate.told import lies, line
from infra.terminal.sarif import artifact, log
from schemas.event import LEVELS, Level
from schemas.policy import Waiver
from streams.trace import FILE

FINGERPRINT: Final = "barographGate/v1"
_LEVELS: Final[dict[Level, str]] = dict(
    zip(LEVELS, ("note", "note", "warning", "error", "error"), strict=True)
)
# What code hosts sort by: the lower end of each band of CVSS v3.
_SCORES: Final[dict[Level, str]] = dict(
    zip(LEVELS, ("0.0", "0.1", "4.0", "7.0", "9.0"), strict=True)
)


def sarif(
    verdicts: Sequence[Verdict], origins: Mapping[str, str], *, compared: bool
) -> dict[str, Any]:
    """The log of one run. `compared`: there was a baseline, so that each is new or unchanged."""
    rules = [
        {
            "id": _rule(verdict, result),
            "shortDescription": {"text": result.title},
            "defaultConfiguration": {"level": _LEVELS[_gravest(result)]},
            "properties": {"security-severity": _SCORES[_gravest(result)]},
        }
        for verdict in verdicts
        for result in verdict.results
    ]
    places = {rule["id"]: number for number, rule in enumerate(rules)}
    results = [
        one | {"ruleIndex": places[one["ruleId"]]}
        for verdict in verdicts
        for one in _results(verdict, origins, compared=compared)
    ]
    return log("barograph gate", rules, results)


def _results(
    verdict: Verdict, origins: Mapping[str, str], *, compared: bool
) -> Iterator[dict[str, Any]]:
    for result in verdict.results:
        rule = _rule(verdict, result)
        for one in result.violations:
            state = {"baselineState": "new"} if compared else {}
            yield _result(verdict, rule, one, origins) | state
        for one in result.known:
            yield _result(verdict, rule, one, origins) | {"baselineState": "unchanged"}
        for waived, waiver in result.waived:
            yield _result(verdict, rule, waived, origins) | {"suppressions": [_suppression(waiver)]}


def _result(
    verdict: Verdict, rule: str, one: Violation, origins: Mapping[str, str]
) -> dict[str, Any]:
    """Without the place of a record in a file it stands at the policy: code hosts want a place."""
    lying = lies(one, origins)
    path = lying.removeprefix(FILE).rpartition("#")[0] if lying.startswith(FILE) else ""
    return {
        "ruleId": rule,
        "level": _LEVELS[one.severity],
        "message": {"text": line(one)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": artifact(path or verdict.policy.path),
                    "region": {"startLine": 1},
                },
                "logicalLocations": [{"fullyQualifiedName": one.entity}],
            }
        ],
        "partialFingerprints": {FINGERPRINT: one.fingerprint(verdict.policy.id)},
        "properties": {"severity": one.severity, "entity": one.entity, "about": one.about},
    }


def _suppression(waiver: Waiver) -> dict[str, Any]:
    owner = f", {waiver.owner}" if waiver.owner else ""
    text = f"{waiver.reason} (until {waiver.until.isoformat()}{owner})"
    return {"kind": "external", "status": "accepted", "justification": text}


def _rule(verdict: Verdict, result: Result) -> str:
    return f"{verdict.policy.id}/{result.check}"


def _gravest(result: Result) -> Level:
    waived = (one.violation for one in result.waived)
    found = (*result.violations, *result.known, *waived)
    return gravest(one.severity for one in found) or "medium"
