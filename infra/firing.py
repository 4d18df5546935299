"""Firing: whether a rule can ever fire, given the sources that there are."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from correlators.normal import CATEGORIES, PRODUCT
from correlators.ruleset import Ruleset
from correlators.sigma.matcher import runs_on
from schemas.convergence import Convergence
from schemas.correlation import Correlation
from schemas.detection import Logsource
from streams.source import Source


class Firing(NamedTuple):
    """The sources on which a rule can fire, or the reason why it cannot on any."""

    sources: tuple[str, ...]
    reason: str = ""


def firing(ruleset: Ruleset, sources: Mapping[str, Source]) -> dict[str, Firing]:
    """What can fire, by the id of the rule."""
    found = {
        rule.detection.id: _detection(rule.detection.logsource, sources) for rule in ruleset.rules
    }
    for correlation in ruleset.correlations:  # lower levels come first
        found[correlation.id] = _correlation(correlation, found)
    for convergence in ruleset.convergences:
        found[convergence.id] = _convergence(convergence, ruleset, found)
    return found


def _detection(logsource: Logsource, sources: Mapping[str, Source]) -> Firing:
    wanted = " ".join(f"{name}={value}" for name, value in logsource if value is not None)
    if logsource.product == PRODUCT:
        if logsource.category is not None and logsource.category not in CATEGORIES:
            return Firing((), f"`{logsource.category}` is no class of events")
        names = [name for name in sources if logsource.service in (None, name)]
    else:
        names = [
            name
            for name, source in sources.items()
            if source.NARROW is not None and runs_on(logsource, source.LOGSOURCE)
        ]
    return Firing(tuple(names), "" if names else f"no source is {wanted}")


def _correlation(rule: Correlation, known: Mapping[str, Firing]) -> Firing:
    parts = [known[id_] for id_ in rule.rules if id_ in known]
    silent = [id_ for id_ in rule.rules if id_ in known and not known[id_].sources]
    needs_all = rule.type.startswith("temporal") and not (rule.condition or rule.clauses)
    stuck = all(not set(clause.present).isdisjoint(silent) for clause in rule.clauses)
    if silent and (needs_all or len(silent) == len(rule.rules) or (rule.clauses and stuck)):
        return Firing((), f"`{silent[0]}` cannot fire")
    return Firing(_together(parts))


def _convergence(story: Convergence, ruleset: Ruleset, known: Mapping[str, Firing]) -> Firing:
    fillers = [id_ for id_, legs in ruleset.legs.items() if story in [leg[0] for leg in legs]]
    able = [known[id_] for id_ in fillers if id_ in known and known[id_].sources]
    if fillers and not able:
        return Firing((), f"`{fillers[0]}` cannot fire, nor can any other rule of its legs")
    return Firing(_together(able))


def _together(parts: Iterable[Firing]) -> tuple[str, ...]:
    return tuple(sorted({name for part in parts for name in part.sources}))
