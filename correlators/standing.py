"""Standing: what of a convergence holds now on one join entity, on how many independent families.

Laws:
1. Of each family the strongest strand stands for it: noise does not compound.
2. Posture legs look at facts as of now, and count only beside a leg that is not posture; what has
   only posture legs is never more than an outlook.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from correlators.evidence import Pair
from correlators.legs import Held, Instance, Path, holds
from schemas.alert import STAGES, Stage
from schemas.convergence import Convergence, Leg
from schemas.event import LEVELS

_RANK: dict[str, int] = {level: rank for rank, level in enumerate(LEVELS)}


class OpenFact(msgspec.Struct, array_like=True, frozen=True):
    """A posture fact that is open on an entity of the system."""

    entity: str
    name: str
    instance: str
    since: int
    title: str
    severity: str
    family: str
    confidence: int
    tags: tuple[str, ...]
    evidence: tuple[Pair, ...]
    path: Path


class Strand(msgspec.Struct, frozen=True):
    """One independent family of evidence: its strongest member."""

    family: str
    class_: str
    leg: str
    title: str
    severity: str
    confidence: int
    at: int
    evidence: tuple[Pair, ...]


class Standing(msgspec.Struct, frozen=True):
    """What holds of a convergence now: the stage, the legs and the independent strands.

    `walked`: all legs hold, and some had to come in order. `complete`: all legs hold.
    """

    stage: Stage
    legs: tuple[str, ...]
    strands: tuple[Strand, ...]
    walked: bool
    complete: bool


def standing(
    convergence: Convergence,
    join: str,
    instance: Instance,
    facts: Mapping[str, OpenFact],
    time: int,
) -> Standing | None:
    """What holds at `time`, or None.

    `join` is the join entity (`kind:id`), empty where the convergence joins on its system. Of each
    family the strongest strand stands for it.
    """
    held: dict[str, list[Strand]] = {}
    for name, leg in convergence.legs.items():
        if leg.class_ == "posture":
            found = [
                _of_fact(name, fact)
                for fact in facts.values()
                if _applies(convergence, leg, join, instance, fact)
            ]
        elif holds(leg, instance.hits.get(name, []), time, convergence.window) is None:
            found = []
        else:
            found = [_of_hit(name, leg, hit) for hit in instance.hits[name]]
        if found:
            held[name] = found
    active = [leg for name in held if (leg := convergence.legs[name]).class_ != "posture"]
    complete = len(held) == len(convergence.legs)
    if not (active or (convergence.latent and complete)):
        return None
    best: dict[str, Strand] = {}
    for strand in (strand for name in held for strand in held[name]):
        known = best.get(strand.family)
        if known is None or _strength(strand) > _strength(known):
            best[strand.family] = strand
    walked = complete and any(leg.after for leg in convergence.legs.values())
    stage = _stage(active, len(best), walked=walked)
    strands = tuple(best[family] for family in sorted(best))
    return Standing(stage, tuple(held), strands, walked, complete)


def _stage(active: Sequence[Leg], families: int, *, walked: bool) -> Stage:
    """The stage of what holds; `active` are the legs that are not posture.

    One independent family is an outlook, two are a watch, three a warning, and two that were walked
    as well. A leg may be more by itself; posture alone is never more than an outlook.
    """
    if not active:
        return "outlook"
    rank = 2 if walked and families == 2 else min(families, 3) - 1
    return STAGES[max(rank, *(STAGES.index(leg.alone) for leg in active))]


def _strength(strand: Strand) -> tuple[Any, ...]:
    return _RANK[strand.severity], strand.confidence, strand.at, strand.leg, strand.evidence


def _applies(
    convergence: Convergence, leg: Leg, join: str, instance: Instance, fact: OpenFact
) -> bool:
    if fact.name != leg.fact or not fact.entity.startswith(f"{leg.on}:"):
        return False
    if leg.on == convergence.join:
        return fact.entity == join
    if leg.on in convergence.carriers and convergence.join != "system":
        return any(fact.entity in via for via in instance.via.values())
    return True  # any entity of the system; one that joins on its system never asks for more


def _of_fact(name: str, fact: OpenFact) -> Strand:
    return Strand(
        family=fact.family,
        class_="posture",
        leg=name,
        title=fact.title,
        severity=fact.severity,
        confidence=fact.confidence,
        at=fact.since,
        evidence=fact.evidence,
    )


def _of_hit(name: str, leg: Leg, hit: Held) -> Strand:
    return Strand(
        family=hit.family,
        class_=leg.class_,
        leg=name,
        title=hit.title,
        severity=hit.level,
        confidence=hit.confidence,
        at=hit.at,
        evidence=hit.evidence,
    )
