"""Routes: who wants to know of a detection or correlation; made once from the rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from correlators.ruleset import Ruleset
from schemas.canonical import digest
from schemas.convergence import Convergence
from schemas.correlation import Correlation
from schemas.detection import Detection
from schemas.rows import Row
from schemas.topics import ATTACH


class Routes:
    """By id of a rule, the correlations that count it and the convergence legs that it fills."""

    def __init__(self, ruleset: Ruleset) -> None:
        """Made once from the rules that run together."""
        self.about: dict[str, Detection | Correlation] = {
            rule.id: rule for rule in ruleset.correlations
        }
        self.about |= {rule.detection.id: rule.detection for rule in ruleset.rules}
        self.feeds, self.legs = ruleset.feeds, ruleset.legs

    def carriers(self, id_: str, entities: Sequence[str]) -> list[str]:
        """The entities (`kind:id`) through which a signal of `id_` reaches AI systems."""
        found: dict[str, None] = {}
        for convergence in {story.id: story for story, _ in self.legs.get(id_, ())}.values():
            found |= dict.fromkeys(carried(convergence, entities))
        return list(found)

    def leg_rows(
        self, id_: str, about: Mapping[str, Any], kind: str, finding: str | None = None
    ) -> Iterator[Row]:
        """One row for every carrier.

        `about` has time, id, signals, evidence, entities and, for signals, family.
        """
        carriers = self.carriers(id_, about["entities"])
        if not carriers:
            return
        rule = self.about[id_]
        body = {
            "of": id_,
            "title": rule.title,
            "level": rule.level,
            "confidence": round(rule.confidence * 1000),
            "family": about.get("family", rule.family),
            "tags": list(rule.tags),
            "signals": list(about["signals"]),
            "evidence": [list(pair) for pair in about["evidence"]],
            "entities": list(about["entities"]),
        }
        if finding is not None:
            body["finding"] = finding
        for entity in carriers:
            yield Row(ATTACH, 0, entity, about["time"], digest("leg", id_, about["id"]), kind, body)


def carried(convergence: Convergence, entities: Sequence[str]) -> list[str]:
    """The entities of the first carrier kind that a signal names."""
    for kind in convergence.carriers:
        found = [e for e in entities if e.startswith(kind + ":")]
        if found:
            return found
    return []
