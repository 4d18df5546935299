"""Legs: which conditions of a convergence hold now on one join entity, and with which independent evidence.

Laws:
1. A leg holds at t while enough of its hits started at or after t - window. A hit of an ordered leg (`after`) starts
   where its predecessor started: the whole chain lies in the window. Equal times count as in order.
2. A hit of an ordered leg whose predecessor does not hold says nothing: everyday use opens no alert.
3. Of each family the hit that starts latest is kept: duplicates and second findings of one scanner add nothing.
4. Posture legs look at facts as of now, and count only beside a leg that is not posture.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from schemas.alert import STAGES, Stage
from schemas.canonical import digest
from schemas.convergence import Convergence, Leg

FAMILIES = 8  # independent families kept for one leg; more do not raise the stage any further

Path = list[list[str]]


class Held(msgspec.Struct, array_like=True, frozen=True):
    """One signal or finding in a leg. Confidence in thousandths; `at` its own time, `start` that of its chain."""

    at: int
    start: int
    leg: str
    of: str
    title: str
    level: str
    family: str
    confidence: int
    tags: tuple[str, ...]
    signals: tuple[str, ...]
    evidence: tuple[tuple[str, str], ...]
    entities: tuple[str, ...]
    finding: str | None


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
    evidence: tuple[tuple[str, str], ...]
    path: Path


class Wait(msgspec.Struct, array_like=True, frozen=True):
    """An absence that is being waited for: it holds at `deadline` unless something comes."""

    deadline: int
    cause: Held


class Instance(msgspec.Struct, array_like=True):
    """The legs of one convergence on one join entity: hits by leg name, the entities that carried each hit, waits."""

    hits: dict[str, list[Held]] = {}
    via: dict[str, dict[str, Path]] = {}
    waits: dict[str, Wait] = {}

    def copy(self) -> Instance:
        """A copy that can be changed."""
        return Instance(
            {k: v.copy() for k, v in self.hits.items()},
            {k: v.copy() for k, v in self.via.items()},
            self.waits.copy(),
        )


class Strand(msgspec.Struct, frozen=True):
    """One independent family of evidence: its strongest member."""

    family: str
    class_: str
    leg: str
    title: str
    severity: str
    confidence: int
    at: int
    evidence: tuple[tuple[str, str], ...]


class Standing(msgspec.Struct, frozen=True):
    """What holds of a convergence now: the stage, the legs, the independent strands, strongest first within a family."""

    stage: Stage
    legs: tuple[str, ...]
    strands: tuple[Strand, ...]
    walked: bool
    complete: bool


def holds(leg: Leg, hits: list[Held], time: int, window: int) -> int | None:
    """The time at which the leg's latest sufficient set of hits starts, or None if it does not hold at `time`."""
    starts = sorted((hit.start for hit in hits if hit.start >= time - window), reverse=True)
    return starts[leg.at_least - 1] if len(starts) >= leg.at_least else None


def add(
    convergence: Convergence,
    instance: Instance,
    name: str,
    hit: Held,
    via: str,
    path: Path,
    time: int,
) -> bool:
    """Take a hit into leg `name` at `time`. False if the leg's predecessor does not hold or the hit is known."""
    leg = convergence.legs[name]
    known = next((h for h in instance.hits.get(name, ()) if h.leg == hit.leg), None)
    if known is not None:
        instance.via[hit.leg][via] = path
        return False
    if leg.after is not None:
        before = [h for h in instance.hits.get(leg.after, ()) if h.at <= hit.at]
        start = holds(convergence.legs[leg.after], before, hit.at, convergence.window)
        if start is None:
            return False
        hit = msgspec.structs.replace(hit, start=min(start, hit.start))
    if hit.start < time - convergence.window:
        return False
    if leg.absent:
        instance.waits.pop(name, None)
        return False
    kept = sorted([*instance.hits.get(name, ()), hit], key=lambda h: (h.start, h.at, h.leg))
    latest = {h.family: h for h in kept}
    families = set(sorted(latest, key=lambda f: (latest[f].start, f))[-FAMILIES:])
    keep = {h.leg for f, h in latest.items() if f in families} | {
        h.leg for h in kept[-leg.at_least :]
    }
    instance.hits[name] = [h for h in kept if h.leg in keep]
    instance.via[hit.leg] = {via: path}
    for other, absent in convergence.legs.items():
        if absent.absent and absent.since == name and other not in instance.waits and absent.within:
            instance.waits[other] = Wait(hit.at + absent.within, hit)
    _forget(instance)
    return True


def lapse(instance: Instance, name: str) -> Held:
    """The wait of an absent leg ran out: the absence is a hit at its deadline, carried like its cause."""
    wait = instance.waits.pop(name)
    cause = wait.cause
    hit = msgspec.structs.replace(
        cause,
        at=wait.deadline,
        start=wait.deadline,
        leg=digest("absence", name, cause.leg),
        of=name,
        title=f"Nothing followed: {name}",
        family=f"absence:{name}",
    )
    instance.hits[name] = [hit]
    instance.via[hit.leg] = instance.via.get(cause.leg, {}).copy()
    return hit


def leave(instance: Instance, entity: str) -> bool:
    """The entity left the system: hits that only it carried go with it. True if anything changed."""
    gone = {leg for leg, via in instance.via.items() if entity in via and len(via) == 1}
    changed = any(via.pop(entity, None) is not None for via in instance.via.values())
    for name in list(instance.hits):
        instance.hits[name] = [h for h in instance.hits[name] if h.leg not in gone]
    instance.waits = {k: w for k, w in instance.waits.items() if w.cause.leg not in gone}
    _forget(instance)
    return changed


def prune(convergence: Convergence, instance: Instance, time: int) -> bool:
    """Drop hits that left the window of `time`. True if any did."""
    oldest = time - convergence.window
    stale = False
    for name, hits in list(instance.hits.items()):
        kept = [h for h in hits if h.start >= oldest]
        stale |= len(kept) < len(hits)
        instance.hits[name] = kept
    _forget(instance)
    return stale


def standing(
    convergence: Convergence,
    join: str,
    instance: Instance,
    facts: Mapping[str, OpenFact],
    time: int,
) -> Standing | None:
    """What holds at `time`, or None. `join` is the join entity (`kind:id`), empty where the convergence joins on its system."""
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
    active = [name for name in held if convergence.legs[name].class_ != "posture"]
    latent = all(leg.class_ == "posture" for leg in convergence.legs.values())
    complete = len(held) == len(convergence.legs)
    if not (active or (latent and complete)):
        return None
    best: dict[str, Strand] = {}
    for strand in (s for name in held for s in held[name]):
        known = best.get(strand.family)
        if known is None or _strength(strand) > _strength(known):
            best[strand.family] = strand
    walked = complete and any(leg.after for leg in convergence.legs.values())
    rank = min(len(best), 3) - 1 if active else 0  # posture alone is never more than an outlook
    if len(best) == 2 and walked:
        rank = 2
    rank = (
        max(rank, *(STAGES.index(convergence.legs[name].alone) for name in active))
        if active
        else rank
    )
    return Standing(
        STAGES[rank], tuple(held), tuple(best[f] for f in sorted(best)), walked, complete
    )


_SEVERITY = {"informational": 0, "low": 1, "medium": 2, "high": 3, "critical": 4}


def _strength(strand: Strand) -> tuple[Any, ...]:
    return _SEVERITY[strand.severity], strand.confidence, strand.at, strand.leg, strand.evidence


def _applies(
    convergence: Convergence, leg: Leg, join: str, instance: Instance, fact: OpenFact
) -> bool:
    if fact.name != leg.fact or not fact.entity.startswith(f"{leg.on}:"):
        return False
    if leg.on == convergence.join:
        return fact.entity == join
    if leg.on in convergence.carriers and convergence.join != "system":
        return any(fact.entity in via for via in instance.via.values())
    return True


def _of_fact(name: str, fact: OpenFact) -> Strand:
    return Strand(
        fact.family,
        "posture",
        name,
        fact.title,
        fact.severity,
        fact.confidence,
        fact.since,
        fact.evidence,
    )


def _of_hit(name: str, leg: Leg, hit: Held) -> Strand:
    return Strand(
        hit.family, leg.class_, name, hit.title, hit.level, hit.confidence, hit.at, hit.evidence
    )


def _forget(instance: Instance) -> None:
    live = {hit.leg for hits in instance.hits.values() for hit in hits}
    live |= {wait.cause.leg for wait in instance.waits.values()}
    instance.via = {leg: via for leg, via in instance.via.items() if leg in live}
    instance.hits = {name: hits for name, hits in instance.hits.items() if hits}
