"""Legs: which conditions of a convergence hold now on one join entity, and on what evidence.

Laws:
1. A leg holds at t while enough of its hits started at or after t - window. A hit of an ordered leg
   (`after`) starts where its predecessor started: the whole chain lies in the window. Equal times
   count as in order.
2. A hit of an ordered leg whose predecessor does not hold says nothing: everyday use opens nothing.
3. Of each family the hit that starts latest is kept: duplicates and second findings of one scanner
   add nothing.
"""

from __future__ import annotations

import msgspec

from correlators.evidence import Pair
from schemas.canonical import digest
from schemas.convergence import Convergence, Leg

FAMILIES = 8  # independent families kept for one leg; more do not raise the stage any further

Path = list[list[str]]


class Held(msgspec.Struct, array_like=True, frozen=True):
    """One signal or finding in a leg.

    `at` is its own time, `start` that of its chain, `leg` its id; confidence in thousandths.
    """

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
    evidence: tuple[Pair, ...]
    entities: tuple[str, ...]
    finding: str | None


class Wait(msgspec.Struct, array_like=True, frozen=True):
    """An absence that is being waited for: it holds at `deadline` unless something comes."""

    deadline: int
    cause: Held


class Instance(msgspec.Struct, array_like=True):
    """The legs of one convergence on one join entity.

    Hits by leg name; by id of a hit the entities that carried it, with their paths; waits by leg
    name.
    """

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


def holds(leg: Leg, hits: list[Held], time: int, window: int) -> int | None:
    """When the leg's latest sufficient set of hits starts; None if it does not hold at `time`."""
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
    """Take a hit into leg `name` at `time`, as carried by the entity `via`.

    False if it says nothing new: it is known, the leg's predecessor does not hold, it lies before
    the window, or it ends the wait of an absent leg.
    """
    leg = convergence.legs[name]
    if any(known.leg == hit.leg for known in instance.hits.get(name, ())):
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
    instance.hits[name] = _kept(leg, [*instance.hits.get(name, ()), hit])
    instance.via.setdefault(hit.leg, {})[via] = path  # another leg may have it by another entity
    for other, absent in convergence.legs.items():
        if absent.absent and absent.since == name and other not in instance.waits and absent.within:
            # What is handed over late is waited for from then on, not in the past.
            instance.waits[other] = Wait(max(hit.at + absent.within, time), hit)
    _forget(instance)
    return True


def lapse(instance: Instance, name: str) -> Held:
    """The wait of an absent leg ran out.

    The absence is a hit at its deadline, carried like its cause.
    """
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
    """The entity left the system: what only it carried goes with it. True if anything changed."""
    gone = {leg for leg, via in instance.via.items() if entity in via and len(via) == 1}
    changed = False
    for via in instance.via.values():
        changed |= via.pop(entity, None) is not None
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


def _kept(leg: Leg, hits: list[Held]) -> list[Held]:
    """The latest hit of each of the latest families, and as many of the latest as the leg needs."""
    ordered = sorted(hits, key=lambda hit: (hit.start, hit.at, hit.leg))
    latest = {hit.family: hit for hit in ordered}
    families = sorted(latest, key=lambda family: (latest[family].start, family))[-FAMILIES:]
    keep = {latest[family].leg for family in families}
    keep |= {hit.leg for hit in ordered[-leg.at_least :]}
    return [hit for hit in ordered if hit.leg in keep]


def _forget(instance: Instance) -> None:
    live = {hit.leg for hits in instance.hits.values() for hit in hits}
    live |= {wait.cause.leg for wait in instance.waits.values()}
    instance.via = {leg: via for leg, via in instance.via.items() if leg in live}
    instance.hits = {name: hits for name, hits in instance.hits.items() if hits}
