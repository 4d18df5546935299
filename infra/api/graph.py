"""Graph: things and edges as Grafana's node graph panel takes them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from infra.api.answers import Moment, dicts
from infra.api.route import Asked
from schemas.event import LEVELS, Record

MOST: Final = 1_500  # nodes; more cannot be looked at
# By the worst weakness that is open on a thing; grey where nothing is known.
COLORS: Final = {
    "critical": "#c4162a",
    "high": "#e0752d",
    "medium": "#eab839",
    "low": "#6d9bd1",
    None: "#8e8e8e",
}
DECLARED: Final = "#8e8e8e"
WORKED: Final = "#3274d9"


class Node(Record):
    """A thing. `mainstat` is its worst open weakness, `secondarystat` how many facts are open."""

    id: str
    title: str
    subtitle: str
    mainstat: str
    secondarystat: str
    color: str


class Arc(Record):
    """An edge; `mainstat` is its relation, blue if it was seen at work or walked."""

    id: str
    source: str
    target: str
    mainstat: str
    color: str


class Graph(Record):
    """Nodes and the edges between them; `more`: there are nodes beyond the first 1,500."""

    nodes: tuple[Node, ...]
    edges: tuple[Arc, ...]
    more: bool = False
    snapshot: Moment


class Edge(NamedTuple):
    """An edge between two `kind:id`; `used`: something went along it."""

    source: str
    relation: str
    target: str
    used: bool


_THINGS: Final = """
WITH wanted AS (SELECT unnest(CAST($entities AS VARCHAR[])) AS entity),
worst AS (
  SELECT
    entity, count(*) AS facts, arg_max(severity, list_position($levels, severity)) AS severity
  FROM posture WHERE entity IN (FROM wanted) GROUP BY entity)
SELECT w.entity, a.name, f.facts, f.severity
FROM wanted AS w LEFT JOIN assets AS a USING (entity) LEFT JOIN worst AS f USING (entity)"""


def graph(asked: Asked, entities: Iterable[str], edges: Iterable[Edge]) -> Graph:
    """The graph of these things in the order given, and of those edges that lie between them."""
    names = list(dict.fromkeys(entities))
    kept = names[:MOST]
    answer = asked.reader.run(
        _THINGS, {"entities": kept, "levels": list(LEVELS)}, rows=MOST, seconds=asked.seconds
    )
    known = {row["entity"]: row for row in dicts(answer)}
    inside = set(kept)
    arcs = {
        f"{edge.source} {edge.relation} {edge.target}": edge
        for edge in edges
        if edge.source in inside and edge.target in inside
    }
    return Graph(
        nodes=tuple(_node(entity, known[entity]) for entity in kept),
        edges=tuple(
            Arc(
                id=id_,
                source=edge.source,
                target=edge.target,
                mainstat=edge.relation,
                color=WORKED if edge.used else DECLARED,
            )
            for id_, edge in sorted(arcs.items())
        ),
        more=len(names) > MOST,
        snapshot=asked.taken,
    )


def _node(entity: str, row: dict[str, Any]) -> Node:
    kind, _, name = entity.partition(":")
    severity, facts = row["severity"], row["facts"]
    return Node(
        id=entity,
        title=row["name"] or name,
        subtitle=kind,
        mainstat=severity or "",
        secondarystat=f"{facts} open" if facts else "",
        color=COLORS.get(severity, COLORS[None]),
    )
