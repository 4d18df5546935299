"""Faults: what is known against something, as `against` of criteria and policies asks for it."""

from collections.abc import Iterator
from typing import NamedTuple

from correlators.known import Known, Reference, matches
from schemas.alert import STAGES
from schemas.event import LEVELS, Level
from schemas.framework import Against


class Fault(NamedTuple):
    """One fault: how grave, how often, when it no longer counts (None: when news ends it).

    `entity` has it, the first of several; `about` is the rule, convergence, fact or condition.
    """

    severity: Level
    total: int
    expires: int | None
    shown: tuple[Reference, ...]
    entity: str
    about: str


def faults(against: Against, known: Known) -> Iterator[Fault]:
    """All of them, in the order of what is known."""
    yield from _rules(against, known)
    yield from _alerts(against, known)
    yield from _facts(against, known)
    for one in known.conditions:
        if one.condition == against.condition:
            yield Fault(one.severity, 1, None, (one.shown,), one.entity, one.condition)


def _rules(against: Against, known: Known) -> Iterator[Fault]:
    for hit in known.hits:
        if hit.rule in against.rules:
            newest = max(shown.time for shown in hit.shown)
            if known.time - newest <= against.within:
                until, entity = newest + against.within, next(iter(hit.entities), "")
                yield Fault(hit.level, hit.total, until, hit.shown, entity, hit.rule)


def _alerts(against: Against, known: Known) -> Iterator[Fault]:
    least = STAGES.index(against.stage)
    for one in known.alerts:
        named = "*" in against.alerts or one.convergence in against.alerts
        if named and STAGES.index(one.stage) >= least:
            yield Fault(one.severity, 1, one.expires, (one.shown,), one.system, one.convergence)


def _facts(against: Against, known: Known) -> Iterator[Fault]:
    least = LEVELS.index(against.severity)
    for weak in known.weak:
        if (
            weak.name in against.facts
            and not weak.waived
            and LEVELS.index(weak.severity) >= least
            and (against.of is None or weak.about == against.of)
            and (not against.on or matches(weak.entity, against.on))
        ):
            yield Fault(weak.severity, weak.total, None, weak.shown, weak.entity, weak.name)
