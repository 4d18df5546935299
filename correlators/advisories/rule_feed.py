"""Rule feed: advisories written as YAML, one component and version expression a document.

info: {name: <component>, cve: <id>, summary: ..., severity: ..., cvss: <vector or score>}
rule: version < "1.2.3"
"""

from __future__ import annotations

from typing import Any

from correlators.advisories.advisory import Advisory, Ruled
from correlators.advisories.component import normal
from correlators.advisories.cvss import score
from correlators.advisories.expression import NoExpression, expression
from correlators.advisories.severity import of_score, of_word
from correlators.document import Part, Problem
from correlators.sigma.values import is_object


def advisory(part: Part) -> Advisory | Problem:
    """The advisory of one document; its id is `info.cve`, else the name of the file."""
    info: Any = part.data.get("info")
    if not is_object(info) or not isinstance(info.get("name"), str) or not info["name"].strip():
        return part.problem("`info.name` does not name a component", "info", "name")
    rule = part.data.get("rule")
    if not isinstance(rule, str):
        return part.problem("`rule` is no text", "rule")
    try:
        read = expression(rule)
    except NoExpression as reason:
        return part.problem(f"`rule`: {reason}", "rule")
    number = _score(info.get("cvss"))
    id_ = info.get("cve")
    return Advisory(
        id=id_.strip()[:128] if isinstance(id_, str) and id_.strip() else _file(part)[:128],
        ecosystem="",
        name=normal("", info["name"]),
        title=str(info.get("summary") or info["name"])[:256],
        severity=of_word(info.get("severity")) or of_score(number),
        score=number,
        aliases=(),
        affected=(Ruled(read),),
    )


def _file(part: Part) -> str:
    return part.path.replace("\\", "/").rpartition("/")[2].rpartition(".")[0]


def _score(said: Any) -> float | None:  # noqa: ANN401 - YAML
    if isinstance(said, str):
        try:
            said = float(said)
        except ValueError:
            return score(said)
    number = isinstance(said, int | float) and not isinstance(said, bool) and 0 < said <= 10
    return float(said) if number else None
