"""Blast: what an attacker reaches who holds one thing, by which relations, over the shortest way.

Holding a thing and being able to use it are two things. Who holds a key may call a model, and holds
neither it nor what else calls it. Who holds a data set holds the model that is trained on it.

    held --FORWARD--> held          a principal and its keys, an application and its agents
    held, used --USES--> used       a tool and its server, an agent and its model
    held <--DEPENDS-- held          what is trained on, built from, run by or steered by the thing
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Literal, NamedTuple

Hold = Literal["held", "used"]
Link = tuple[str, str, str, float]  # from, relation, to, confidence
Step = tuple[str, str, str]  # an edge: from, relation, to

# Control goes along with these: who holds the one holds the other.
FORWARD: Final = frozenset({"assumes", "hosts", "makes", "may_assume", "owns", "runs", "runs_on"})
# Use goes along with these, from what is held and from what is used.
USES: Final = frozenset(
    {"calls", "reads", "retrieves", "runs", "served_by", "serves", "uses", "writes"}
)
# A key acts as its principal, and a session as who assumed it.
ACTS_AS: Final = frozenset({"assumes", "owns"})
# Control goes against these: an image decides what its workload does, and what an agent reads, or
# gets from its tools, steers it.
DEPENDS: Final = ACTS_AS | frozenset(
    {
        *("calls", "fed_by", "made_by", "reads", "retrieves", "runs_image", "runs_on"),
        *("served_by", "serves", "trained_on", "uses"),
    }
)
STEERS: Final = frozenset({"mcp_server", "skill", "tool"})  # of what is used, what answers
SAME: Final = "same_as"


class Reached(NamedTuple):
    """One thing within reach: whether it is held or can be used, and the way there.

    `path` has the edges in the order of the steps, each in its own direction. Confidence is their
    product.
    """

    entity: str
    hold: Hold
    confidence: float
    path: tuple[Step, ...]


def blast(links: Iterable[Link], start: str, deepest: int) -> list[Reached]:
    """All that `start` gives, nearest first, each thing once; of equally near ways the surer one.

    What can be both held and used is told as held.
    """
    steps = _steps(links)
    found: dict[tuple[str, Hold], Reached] = {}
    level: list[Reached] = [Reached(start, "held", 1.0, ())]
    for _ in range(deepest):
        near = sorted((one for here in level for one in _near(steps, here)), key=_surest)
        level.clear()
        for one in near:
            known = (one.entity, "held") in found or (one.entity, one.hold) in found
            if one.entity != start and not known:
                found[one.entity, one.hold] = one
                level.append(one)
    told = {one.entity: one for one in sorted(found.values(), key=lambda o: o.hold != "used")}
    return sorted(told.values(), key=_surest)


def _steps(links: Iterable[Link]) -> dict[str, list[tuple[Step, float]]]:
    """The edges at both of their ends."""
    found: dict[str, list[tuple[Step, float]]] = {}
    for from_, relation, to, confidence in links:
        for end in {from_, to}:
            found.setdefault(end, []).append(((from_, relation, to), confidence))
    return found


def _near(steps: dict[str, list[tuple[Step, float]]], here: Reached) -> Iterator[Reached]:
    for step, confidence in steps.get(here.entity, ()):
        from_, relation, to = step
        against = to == here.entity
        other = from_ if against else to
        hold = here.hold if relation == SAME else _hold(here, relation, other, against=against)
        if hold is not None:
            yield Reached(other, hold, here.confidence * confidence, (*here.path, step))


def _hold(here: Reached, relation: str, other: str, *, against: bool) -> Hold | None:
    if against:
        if here.hold != "held" or relation not in DEPENDS:
            return None
        if relation == "uses" and here.entity.partition(":")[0] not in STEERS:
            return None
        # People decide for themselves what they do with an answer.
        return "held" if relation in ACTS_AS or not other.startswith("principal:") else None
    if here.hold == "held" and relation in FORWARD:
        return "held"
    return "used" if relation in USES else None


def _surest(one: Reached) -> tuple[int, str, float, str, tuple[Step, ...]]:
    return len(one.path), one.hold, -one.confidence, one.entity, one.path
