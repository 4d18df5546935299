"""Yielding: on which join entity a story stands best, and what it leaves to other open alerts."""

from __future__ import annotations

from typing import NamedTuple

from correlators.legs import Instance
from correlators.standing import Standing, standing
from correlators.system import Story, System
from schemas.alert import STAGES
from schemas.convergence import Convergence


class Best(NamedTuple):
    """The join entity of a story that stands best; its instance without what others carry."""

    join: str
    instance: Instance
    standing: Standing


def best(system: System, convergence: Convergence, story: Story, time: int) -> Best | None:
    """The highest stage, then the most families, then the first by name; None if nothing holds."""
    taken = _taken(system, convergence) if convergence.yields else frozenset[str]()
    found: list[Best] = []
    for join, instance in sorted(story.instances.items()):
        free = _without(instance, taken) if taken else instance
        holding = standing(convergence, join, free, system.facts, time)
        if holding is not None:
            found.append(Best(join, free, holding))
    return max(found, key=_rank, default=None)


def covering(system: System, convergence: Convergence, story: Story) -> str | None:
    """The first other open alert that shares evidence with `story`, if one does."""
    mine = _carrying(story)
    for id_, other in sorted(system.stories.items()):
        if id_ != convergence.id and other.alert and mine & _carrying(other):
            return other.alert.id
    return None


def _rank(best: Best) -> tuple[int, int]:
    return STAGES.index(best.standing.stage), len(best.standing.strands)


def _taken(system: System, convergence: Convergence) -> frozenset[str]:
    """The hits that carry another open alert of the system."""
    return frozenset(
        leg
        for id_, story in system.stories.items()
        if id_ != convergence.id and story.alert
        for leg in _carrying(story)
    )


def _carrying(story: Story) -> frozenset[str]:
    return frozenset(
        hit.leg
        for instance in story.instances.values()
        for hits in instance.hits.values()
        for hit in hits
    )


def _without(instance: Instance, taken: frozenset[str]) -> Instance:
    free = {
        name: [hit for hit in hits if hit.leg not in taken] for name, hits in instance.hits.items()
    }
    return Instance(free, instance.via, instance.waits)
