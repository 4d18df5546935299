"""Inventory: the lineage of the estate, and which AI systems each entity belongs to.

A system is named by its declared root, an application, never by a connected component: its id would change with every
new edge. Its members are what directed lineage reaches from the root. One partition, one key.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import msgspec

from correlators.keyed import Emit
from schemas.canonical import digest
from schemas.rows import Result, Row
from schemas.topics import MEMBERSHIP

DEPTH = 12  # edges from a root; longer chains are not one system any more
MEMBERS = 20_000  # entities of one system

Path = tuple[tuple[str, str, str], ...]  # (from, relation, to) from the root to the member


class Estate(msgspec.Struct, array_like=True):
    """Open edges from -> {(relation, to): declared}, and of each system root its members with their paths."""

    edges: dict[str, dict[str, bool]] = {}
    systems: dict[str, dict[str, Path]] = {}


class Inventory:
    """Logic of the inventory stage; its only key is `estate`."""

    name = "inventory"
    state_type = Estate

    def empty(self, key: str) -> Estate:  # noqa: ARG002
        """An estate without edges."""
        return Estate()

    def copy(self, state: Estate) -> Estate:
        """A copy whose inner maps are shared until they change."""
        return Estate(state.edges.copy(), state.systems.copy())

    def fire(self, key: str, state: Estate, until: int, ahead: bool, emit: Emit) -> None:
        """No deadlines."""

    def apply(self, key: str, state: Estate, time: int, rows: Sequence[Row], emit: Emit) -> None:  # noqa: ARG002
        """Take the edges of one time; tell entities whose systems changed."""
        changed: set[str] = set()
        for row in sorted(
            rows, key=lambda r: (r.body["open"], r.id)
        ):  # at equal times open wins over closed
            if _link(state, row.body):
                changed.add(row.body["from"])
        if not changed:
            return
        before = {root: state.systems[root] for root in state.systems}
        affected = {root for root, members in before.items() if changed & (members.keys() | {root})}
        affected |= {f for f in changed if _is_root(f, state.edges.get(f, {}))}
        touched: set[str] = set()
        for root in sorted(affected):
            members = _reach(state, root) if _is_root(root, state.edges.get(root, {})) else {}
            old = before.get(root, {})
            touched |= {e for e in members.keys() | old.keys() if members.get(e) != old.get(e)}
            if members:
                state.systems[root] = members
            else:
                state.systems.pop(root, None)
            if members.keys() != old.keys():
                name = root.partition(":")[2]
                body = {"id": root, "name": name, "root": root, "members": sorted(members)}
                emit.result("system", root, time, body)
        for entity in sorted(touched):
            systems = {root: [list(edge) for edge in members[entity]]
                       for root, members in sorted(state.systems.items()) if entity in members}  # fmt: skip
            body = {"systems": systems}
            emit.row(
                Row(MEMBERSHIP, 0, entity, time, digest("member", entity, time), "member", body)
            )

    def report(self, key: str, state: Estate, emit: Emit) -> None:
        """Systems are said when they change."""

    def due(self, key: str, state: Estate) -> int | None:  # noqa: ARG002
        """No deadlines."""
        return None

    def idle(self, state: Estate) -> bool:
        """True if there is no edge."""
        return not state.edges

    def provisional(self, key: str) -> bool:  # noqa: ARG002
        """Membership is said as it comes."""
        return True

    def complete(self, results: list[Result]) -> list[Result]:
        """Bodies are whole."""
        return results


def _link(state: Estate, body: dict[str, Any]) -> bool:
    """Open or close an edge; True if the graph changed."""
    out = state.edges.get(body["from"], {})
    place = f"{body['relation']}|{body['to']}"
    if body["open"]:
        if out.get(place) == body["declared"]:
            return False
        state.edges[body["from"]] = out | {place: body["declared"]}
        return True
    if place not in out:
        return False
    rest = {k: v for k, v in out.items() if k != place}
    if rest:
        state.edges[body["from"]] = rest
    else:
        del state.edges[body["from"]]
    return True


def _is_root(entity: str, edges: dict[str, bool]) -> bool:
    """An application with an edge that somebody declared."""
    return entity.startswith("application:") and any(edges.values())


def _reach(state: Estate, root: str) -> dict[str, Path]:
    """Entities by shortest path from the root, ties by name: breadth first in sorted order."""
    members: dict[str, Path] = {root: ()}
    todo = deque([root])
    while todo and len(members) < MEMBERS:
        here = todo.popleft()
        path = members[here]
        if len(path) >= DEPTH:
            continue
        for place in sorted(state.edges.get(here, {})):
            relation, _, to = place.partition("|")
            if to not in members:
                members[to] = (*path, (here, relation, to))
                todo.append(to)
    return members
