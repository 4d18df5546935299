"""System: what is known of one AI system, and how evidence comes into it and leaves it again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from correlators import legs
from correlators.alerting import Open
from correlators.legs import Held, Instance
from correlators.outlook import Forecast
from correlators.routes import carried
from correlators.standing import OpenFact
from schemas.convergence import Convergence

FACTS = 5_000  # open facts of one system; of more, those that come last are left out
INSTANCES = 2_000  # join entities of one convergence; the one touched longest ago goes first


class Story(msgspec.Struct, array_like=True):
    """One convergence on one system: its legs by join entity, and the open alert."""

    instances: dict[str, Instance] = {}
    alert: Open | None = None

    def copy(self) -> Story:
        """A copy that can be changed."""
        instances = {join: instance.copy() for join, instance in self.instances.items()}
        return Story(instances, self.alert and self.alert.copy())


class System(msgspec.Struct, array_like=True):
    """One AI system: open facts, stories by convergence, forecasts, the kinds of its entities."""

    facts: dict[str, OpenFact] = {}
    stories: dict[str, Story] = {}
    forecasts: dict[str, Forecast] = {}
    kinds: list[str] = []

    def copy(self) -> System:
        """A copy that can be changed; kinds are replaced, never altered."""
        stories = {id_: story.copy() for id_, story in self.stories.items()}
        return System(self.facts.copy(), stories, self.forecasts.copy(), self.kinds)


def leave(system: System, entity: str) -> tuple[set[str], set[str]]:
    """The entity left: what only it brought goes with it.

    Returns the names of the facts that ended, and the stories that lost a hit or a carrier.
    """
    lost = [place for place, fact in system.facts.items() if fact.entity == entity]
    names = {system.facts.pop(place).name for place in lost}
    stories = {
        id_
        for id_, story in system.stories.items()
        for instance in story.instances.values()
        if legs.leave(instance, entity)
    }
    return names, stories


def turn(system: System, body: Mapping[str, Any]) -> bool:
    """Open or close a fact; True if one ended."""
    place = f"{body['entity']}|{body['name']}|{body['instance']}"
    if body["state"] == "closed":
        return system.facts.pop(place, None) is not None
    if place in system.facts or len(system.facts) < FACTS:
        system.facts[place] = OpenFact(
            entity=body["entity"],
            name=body["name"],
            instance=body["instance"],
            since=body["since"],
            title=body["title"],
            severity=body["severity"],
            family=body["family"],
            confidence=body["confidence"],
            tags=tuple(body["tags"]),
            evidence=tuple((uid, sha) for uid, sha in body["evidence"]),
            path=body["path"],
        )
    return False


def meet(system: System, entities: Iterable[str]) -> None:
    """Keep the kinds of what was named: they say which next steps are feasible."""
    kinds = {entity.partition(":")[0] for entity in entities}
    if not kinds <= set(system.kinds):
        system.kinds = sorted(kinds | set(system.kinds))


def await_facts(system: System, convergence: Convergence, entity: str) -> None:
    """A convergence of posture alone needs no signal: its instance comes and goes with its facts.

    Called when a fact on `entity` opened or ended.
    """
    for join in _joins(convergence, (entity,)):
        if any(
            fact.name in convergence.facts and join in _joins(convergence, (fact.entity,))
            for fact in system.facts.values()
        ):
            story = system.stories.setdefault(convergence.id, Story())
            story.instances.setdefault(join, Instance())
        elif convergence.id in system.stories:
            system.stories[convergence.id].instances.pop(join, None)


def take(
    system: System, convergence: Convergence, leg: str, body: Mapping[str, Any], time: int
) -> bool:
    """Take a hit into a leg of every join entity that it names; False if it says nothing new."""
    if body["entity"] not in carried(convergence, body["entities"]):
        return False
    story = system.stories.get(convergence.id) or Story()
    hit, taken = _held(body), False
    for join in _joins(convergence, hit.entities):
        instance = story.instances.pop(join, None) or Instance()
        taken |= legs.add(convergence, instance, leg, hit, body["entity"], body["path"], time)
        if instance.hits or instance.waits:
            story.instances[join] = instance  # touched last, evicted last
    while len(story.instances) > INSTANCES:
        del story.instances[next(iter(story.instances))]
    if story.instances or story.alert:
        system.stories[convergence.id] = story
    return taken


def _joins(convergence: Convergence, entities: tuple[str, ...]) -> list[str]:
    if convergence.join == "system":
        return [""]
    return [entity for entity in entities if entity.startswith(convergence.join + ":")]


def _held(body: Mapping[str, Any]) -> Held:
    return Held(
        at=body["at"],
        start=body["at"],
        leg=body["leg"],
        of=body["of"],
        title=body["title"],
        level=body["level"],
        family=body["family"],
        confidence=body["confidence"],
        tags=tuple(body["tags"]),
        signals=tuple(body["signals"]),
        evidence=tuple((uid, sha) for uid, sha in body["evidence"]),
        entities=tuple(body["entities"]),
        finding=body.get("finding"),
    )
