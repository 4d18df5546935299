"""SARIF: what a check of rules has found, a result for each remark."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from infra.authoring.checking import About, Check, Remark
from infra.terminal.sarif import artifact, log

# By kind of remark: its level in SARIF, and what it means.
_KINDS: Final[dict[About, tuple[str, str]]] = {
    "problem": ("error", "The rule cannot be loaded."),
    "lost-pattern": ("warning", "The rule is loaded without a pattern that cannot run."),
    "unknown-field": ("warning", "The rule asks for a field that no record is known to have."),
    "cannot-fire": ("warning", "The rule can never fire on any source."),
    "silent-leg": ("warning", "No rule that can fire fills a leg of the convergence."),
    "no-case": ("warning", "What stands in a file of cases is no case of a rule."),
    "idle-filter": ("warning", "The filter does not filter a rule that it is for."),
    "unused-selection": ("warning", "The condition never uses a selection."),
    "always-true": ("warning", "The condition is true of every record."),
    "no-effect": ("warning", "A key has no effect."),
    "glob": ("warning", "A regular expression looks like a pattern with wildcards."),
    "unknown-word": ("warning", "A field of the normal form never holds a value."),
    "unknown-tag": ("warning", "A tag of OWASP or ATLAS stands for nothing."),
    "yaml-value": ("warning", "A value without quotes is no text in YAML 1.1."),
    "unknown-key": ("warning", "A key is not known and is not read."),
    "unproved": ("note", "The rule has no cases beside it."),
}


def sarif(check: Check, *, unproved: bool = True) -> dict[str, Any]:
    """The log of one run: all remarks in order, problems first; `unproved` only if asked for."""
    said = (one for one in check.remarks if unproved or one.about != "unproved")
    remarks = [*check.problems, *check.cases, *said]
    return log("barograph rules check", map(_descriptor, _KINDS), _results(remarks))


def _descriptor(about: About) -> dict[str, Any]:
    level, meaning = _KINDS[about]
    return {
        "id": about,
        "shortDescription": {"text": meaning},
        "defaultConfiguration": {"level": level},
    }


def _results(remarks: Iterable[Remark]) -> Iterable[dict[str, Any]]:
    order = list(_KINDS)
    for one in remarks:
        region = {"region": {"startLine": one.line}} if one.line else {}
        result: dict[str, Any] = {
            "ruleId": one.about,
            "ruleIndex": order.index(one.about),
            "level": _KINDS[one.about][0],
            "message": {"text": f"{one.rule}: {one.message}" if one.rule else one.message},
            "locations": [{"physicalLocation": {"artifactLocation": artifact(one.path), **region}}],
        }
        yield result
