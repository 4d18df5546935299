"""Filtering: what is odd about filters: rules that they do not filter, fields that nobody has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from correlators.document import Faulty
from correlators.ruleset import Filtered, Ruleset
from correlators.sigma.outline import outline
from infra.asked import of_detection
from infra.firing import Estate, meant, named, near
from schemas.detection import Detection


class Idle(NamedTuple):
    """A line of a filter that takes no matches away, and why."""

    line: int
    message: str


def idle(one: Filtered, ruleset: Ruleset) -> Iterator[Idle]:
    """The rules that a filter names and does not filter; that it filters none at all."""
    part = one.filter.part
    known = _known(ruleset)
    filtered = set(one.rules)
    stated = part.data["filter"]["rules"]
    if one.filter.rules is not None:
        for number, name in enumerate([stated] if isinstance(stated, str) else stated):
            line = part.line_of("filter", "rules", number)
            about = known.get(name) or known.get(name.lower())
            if about is None:
                message = f"`{name}` is no detection that is loaded, and is not filtered"
                yield Idle(line, message + meant(near(name, known)))
            elif about.id not in filtered:
                message = (
                    f"`{name}` is not filtered: its logsource is {named(about.logsource)}, and"
                    f" that of the filter {named(one.filter.logsource)}"
                )
                yield Idle(part.line_of("logsource"), message)
    if not filtered:
        yield Idle(part.line_of("filter"), "this filter filters no rule")


def unknown(one: Filtered, ruleset: Ruleset, estate: Estate) -> Iterator[Idle]:
    """The fields of its selections that no record has that the rules it filters see."""
    seen = {r.detection.logsource for r in ruleset.rules if r.detection.id in set(one.rules)}
    routed = {
        source: words
        for logsource in seen or {one.filter.logsource}
        for source, words in estate.routed(logsource).items()
    }
    try:
        tree = outline(one.filter.part, ruleset.processing, "filter")
    except Faulty:  # a Problem of the rules that it filters already, if it filters any
        return
    for line, message in of_detection(one.filter.part, tree, dict(sorted(routed.items()))):
        yield Idle(line, message)


def _known(ruleset: Ruleset) -> dict[str, Detection]:
    about = [rule.detection for rule in ruleset.rules]
    by_name = {one.name: one for one in about if one.name is not None}
    return by_name | {one.id: one for one in about}
