"""SARIF: what a check has found in the format that code hosts and editors show beside the lines.

SARIF 2.1.0 (OASIS). One run; a result for each remark; paths are relative as they were given.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from infra.authoring.checking import About, Check, Remark

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"

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
    driver = {
        "name": "barograph rules check",
        "version": version("barograph"),
        "rules": [_descriptor(about) for about in _KINDS],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": list(_results(remarks)),
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


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
            "locations": [{"physicalLocation": {"artifactLocation": _uri(one.path), **region}}],
        }
        yield result


def _uri(path: str) -> dict[str, str]:
    """A URI reference: absolute paths are `file:`, others stay relative to where one looks from."""
    given = Path(path)
    return {"uri": given.as_uri() if given.is_absolute() else quote(given.as_posix())}
