"""Lineage: what a thing reaches and what reaches it, now or at a time, as a graph."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from infra.api.answers import Absent, Moment
from infra.api.graph import Edge, Graph, graph
from infra.api.route import Asked, Route
from infra.reading.lineage import DEPTH, affected, known, steps
from schemas.event import Record
from schemas.times import rfc3339

EDGES: Final = 20_000
_BETWEEN: Final = """
SELECT from_entity, relation, to_entity, observed FROM edges_at(CAST($time AS TIMESTAMP))
WHERE list_contains($entities, from_entity) AND list_contains($entities, to_entity)"""


class WantedLineage(Record):
    """`as_of`: the time to look at, without it what holds now; `depth`: how many steps."""

    entity: str
    direction: Literal["both", "downstream", "upstream"] = "both"
    as_of: Moment | None = None
    depth: Annotated[int, Field(ge=1, le=100)] = DEPTH


def lineage(asked: Asked, wanted: WantedLineage) -> Graph:
    """What an entity reaches and what reaches it, as a node graph."""
    reader, entity = asked.reader, wanted.entity
    if not known(reader, entity):
        raise Absent(f"the store knows no entity {entity!r}; /api/v1/assets lists them")
    time = None if wanted.as_of is None else rfc3339(wanted.as_of)
    found = [entity]
    edges: list[Edge] = []
    if wanted.direction != "upstream":
        found += [step.entity for step in steps(reader, "downstream", entity, time, wanted.depth)]
    if wanted.direction != "downstream":
        found += [step.entity for step in steps(reader, "upstream", entity, time, wanted.depth)]
        has = affected(reader, entity, time, wanted.depth)
        found += [step.entity for step in has]
        edges += [
            Edge(step.entity, step.relation, entity, used=False)
            for step in has
            if step.parent == entity
        ]
    asking = {"time": time, "entities": list(dict.fromkeys(found))}
    rows = reader.run(_BETWEEN, asking, rows=EDGES, seconds=asked.seconds).rows
    edges += [Edge(from_, relation, to, bool(used)) for from_, relation, to, used in rows]
    return graph(asked, found, edges)


ROUTES: Final = (Route("get", "/lineage/{entity:.+}", lineage),)
