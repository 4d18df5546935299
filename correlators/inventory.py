"""Inventory: the lineage of the estate, and which AI systems each entity belongs to.

A system is named by its declared root, an application, never by a connected component: its id would
change with every new edge. Its members are what directed lineage reaches from the root; `same_as`
leads both ways, for it is one thing under two names. What was deleted is reached by nothing, until
it is there again. One partition, one key.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import msgspec

from correlators.logic import Emit, Logic
from schemas.canonical import digest
from schemas.rows import Row
from schemas.topics import MEMBERSHIP

DEPTH = 12  # edges from a root; longer chains are not one system any more
MEMBERS = 20_000  # entities of one system

SAME = "same_as"
_BACK = f"<{SAME}"  # how the other end of such an edge is kept; no relation of a source begins so

Path = tuple[tuple[str, str, str], ...]  # (from, relation, to) from the root to the member


class Estate(msgspec.Struct, array_like=True, dict=True):
    """Open edges: from -> {`relation|to`: declared}; systems: root -> members with their paths.

    `gone`: what was deleted.
    """

    edges: dict[str, dict[str, bool]] = {}
    systems: dict[str, dict[str, Path]] = {}
    gone: dict[str, bool] = {}

    @cached_property
    def roots(self) -> dict[str, frozenset[str]]:
        """By entity, the roots of its systems; derived, so that no change looks at all systems."""
        found: dict[str, set[str]] = {}
        for root, members in self.systems.items():
            for entity in members:
                found.setdefault(entity, set()).add(root)
        return {entity: frozenset(roots) for entity, roots in found.items()}

    def copy(self) -> Estate:
        """A copy that can be changed: inner maps and sets are replaced, never altered."""
        copy = Estate(self.edges.copy(), self.systems.copy(), self.gone.copy())
        copy.roots = self.roots.copy()
        return copy

    def place(self, root: str, members: dict[str, Path]) -> set[str]:
        """Let a system have these members, or none; the entities to which that makes a change."""
        old = self.systems.pop(root, {})
        if members:
            self.systems[root] = members
        for entity in old.keys() - members.keys():
            self.roots[entity] -= {root}
            if not self.roots[entity]:
                del self.roots[entity]
        for entity in members.keys() - old.keys():
            self.roots[entity] = self.roots.get(entity, frozenset()) | {root}
        return {e for e in members.keys() | old.keys() if members.get(e) != old.get(e)}


class Inventory(Logic):
    """Logic of the inventory stage; its only key is `estate`."""

    name = "inventory"
    state_type = Estate

    def apply(
        self, _key: str, state: Estate, time: int, rows: Sequence[Row], emit: Emit, /
    ) -> None:
        """Take the edges of one time; tell the systems that changed, and entities whose did."""
        changed: set[str] = set()
        for row in sorted(rows, key=lambda row: (row.body["open"], row.id)):  # open wins
            if row.kind == "gone":
                changed |= _turn(state, row.body)
            else:
                changed |= _link(state, row.body)
        touched: set[str] = set()
        for root in sorted(_affected(state, changed)):
            old, members = state.systems.get(root, {}), _reach(state, root)
            touched |= state.place(root, members)
            if members.keys() != old.keys():
                name = root.partition(":")[2]
                body = {"id": root, "name": name, "root": root, "members": sorted(members)}
                emit.result("system", root, time, body)
        for entity in sorted(touched):
            systems = {
                root: [list(edge) for edge in state.systems[root][entity]]
                for root in sorted(state.roots.get(entity, ()))
            }
            id_ = digest("member", entity, time)
            emit.row(Row(MEMBERSHIP, 0, entity, time, id_, "member", {"systems": systems}))

    def idle(self, state: Estate, /) -> bool:
        """True if there is no edge."""
        return not (state.edges or state.gone)


def _turn(state: Estate, body: dict[str, Any]) -> set[str]:
    """A thing is gone, or there again; where its edges come from, or who has it now."""
    entity: str = body["entity"]
    if not body["open"]:
        state.gone[entity] = True
        return {entity}
    state.gone.pop(entity, None)
    return {
        from_
        for from_, out in state.edges.items()  # all of them: that is rare
        if from_ == entity or any(place.partition("|")[2] == entity for place in out)
    }


def _link(state: Estate, body: dict[str, Any]) -> set[str]:
    """Open or close an edge; the entities of which the way on changed."""
    ends = [(body["from"], body["relation"], body["to"])]
    if body["relation"] == SAME:
        ends.append((body["to"], _BACK, body["from"]))
    return {end[0] for end in ends if _put(state, end, body)}


def _put(state: Estate, ends: tuple[str, str, str], body: dict[str, Any]) -> bool:
    from_, relation, to = ends
    out = state.edges.get(from_, {})
    place = f"{relation}|{to}"
    if body["open"]:
        if out.get(place) == body["declared"]:
            return False
        state.edges[from_] = out | {place: body["declared"]}
        return True
    if place not in out:
        return False
    rest = {k: v for k, v in out.items() if k != place}
    if rest:
        state.edges[from_] = rest
    else:
        del state.edges[from_]
    return True


def _affected(state: Estate, changed: set[str]) -> set[str]:
    """The roots whose systems may have changed with the edges that start at `changed`."""
    reached = {root for entity in changed for root in state.roots.get(entity, ())}
    return reached | {entity for entity in changed if _is_root(state, entity)}


def _is_root(state: Estate, entity: str) -> bool:
    """An application with an edge that somebody declared."""
    if not entity.startswith("application:") or entity in state.gone:
        return False
    return any(state.edges.get(entity, {}).values())


def _reach(state: Estate, root: str) -> dict[str, Path]:
    """The members by shortest path from the root, ties by name; none if it is no root any more.

    Breadth first, in sorted order.
    """
    if not _is_root(state, root):
        return {}
    members: dict[str, Path] = {root: ()}
    todo = deque([root])
    while todo and len(members) < MEMBERS:
        here = todo.popleft()
        path = members[here]
        if len(path) >= DEPTH:
            continue
        for place in sorted(state.edges.get(here, {})):
            relation, _, to = place.partition("|")
            if to not in members and to not in state.gone:
                members[to] = (*path, (here, SAME if relation == _BACK else relation, to))
                todo.append(to)
    return members
