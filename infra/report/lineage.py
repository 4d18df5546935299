"""Where the things of an AI system stand in the picture of their lineage.

Columns: identity, application, agents, tools, models, data, infrastructure; without empty ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Literal, NamedTuple

from infra.report.estate import Line
from schemas.alert import Step

State = Literal["walked", "open", "other"]
MAX_NODES = 36  # more than a reader can take in; the path is never cut for the sake of others
SWEEPS = 3  # after which few pictures still change
COLUMNS = (
    ("identity", ("principal", "apikey", "account", "session")),
    ("application", ("application",)),
    ("agents", ("agent",)),
    ("tools", ("tool", "mcp_server", "skill")),
    ("models", ("model", "endpoint", "guardrail")),
    ("data", ("datastore", "dataset")),
    ("infrastructure", ("workload", "image", "host", "repo", "job")),
)
_COLUMN = {kind: column for column, (_, kinds) in enumerate(COLUMNS) for kind in kinds}


class Node(NamedTuple):
    """One entity (`kind:id`) in a column (empty columns are not counted) and a row, both from 0."""

    key: str
    column: int
    row: int
    on_path: bool


class Link(NamedTuple):
    """One edge; `other` lies beside the alert's path."""

    from_: str
    relation: str
    to: str
    state: State


class Lineage(NamedTuple):
    """The picture: titles of its columns, what stands where, how many things were left out."""

    titles: tuple[str, ...]
    nodes: dict[str, Node]
    links: tuple[Link, ...]
    left_out: int


def lineage(edges: Iterable[Line], path: Sequence[Step], root: str) -> Lineage:
    """The path and what the root (or the path) reaches by `edges`, at most MAX_NODES things.

    Things on the path stand in the upper rows in the order of the path, the others below them, each
    near the mean row of its neighbours.
    """
    walk = dict.fromkeys(end for step in path for end in (step.from_, step.to))
    links: dict[tuple[str, str, str], State] = {}
    for step in path:
        links[step.from_, step.relation, step.to] = step.state
    for edge in edges:
        links.setdefault(edge, "other")
    reached = _reach(links, [*walk, root])
    kept = [*walk, *[key for key in reached if key not in walk][: max(0, MAX_NODES - len(walk))]]
    shown = [Link(*ends, state) for ends, state in links.items() if {ends[0], ends[2]} <= {*kept}]
    nodes = _place(kept, walk, shown)
    used = sorted({_column(key) for key in kept})
    return Lineage(
        tuple(COLUMNS[column][0] for column in used),
        nodes,
        tuple(shown),
        len(reached) - len(kept),
    )


def _column(key: str) -> int:
    return _COLUMN.get(key.partition(":")[0], len(COLUMNS) - 1)


def _reach(links: Iterable[tuple[str, str, str]], start: Iterable[str]) -> dict[str, None]:
    after: dict[str, list[str]] = {}
    for from_, _, to in sorted(links):
        after.setdefault(from_, []).append(to)
    reached = dict.fromkeys(start)
    waiting = list(reached)
    for key in waiting:  # grows as it is read: breadth first
        for to in after.get(key, ()):
            if to not in reached:
                reached[to] = None
                waiting.append(to)
    return reached


def _place(kept: Sequence[str], walk: Iterable[str], links: Sequence[Link]) -> dict[str, Node]:
    near: dict[str, list[str]] = {}
    for link in links:
        near.setdefault(link.from_, []).append(link.to)
        near.setdefault(link.to, []).append(link.from_)
    nodes: dict[str, Node] = {}
    upper = {key: place for place, key in enumerate(walk)}

    def rank(key: str) -> tuple[float, float, str]:
        rows = [nodes[other].row for other in near.get(key, ()) if other in nodes]
        middle = sum(rows) / len(rows) if rows else len(kept)
        return upper.get(key, len(upper)), middle, key

    columns = [list(keys) for _, keys in groupby(sorted(kept, key=_column), _column)]
    for _ in range(SWEEPS):
        for column, keys in enumerate(columns):
            for row, key in enumerate(sorted(keys, key=rank)):
                nodes[key] = Node(key, column, row, key in upper)
    return nodes
