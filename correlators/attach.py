"""Attach: hands signals, findings and facts of an entity to its AI systems, as of their time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from correlators import marked
from correlators.logic import Emit, Logic, in_order
from schemas.canonical import digest
from schemas.rows import Row
from schemas.topics import ASSESS

LEGS = 200  # recent legs kept for a system that the entity joins later; the newest are kept

Edges = list[list[str]]  # the path from the root of a system to the entity
Send = Callable[[str, str, str, dict[str, Any]], None]  # system, kind, what makes it one, body

# At equal times facts come first, then membership, then legs.
_RANK = {"posture": 0, "member": 1, "signal": 2, "finding": 2}


class Attached(msgspec.Struct, array_like=True):
    """What is known of an entity.

    Its systems with the path to it, its open facts by `name|instance`, its recent legs by id. The
    vulnerabilities that it has, with their evidence, and what is known of vulnerabilities
    (`correlators.marked`).
    """

    systems: dict[str, Edges] = {}
    facts: dict[str, dict[str, Any]] = {}
    legs: dict[str, tuple[int, dict[str, Any]]] = {}
    affected: dict[str, list[list[str]]] = {}
    marks: dict[str, dict[str, dict[str, Any]]] = {}

    def copy(self) -> Attached:
        """A copy that can be changed: systems and single marks are replaced, never altered."""
        return msgspec.structs.replace(
            self,
            facts=self.facts.copy(),
            legs=self.legs.copy(),
            affected=self.affected.copy(),
            marks=self.marks.copy(),
        )


class Attach(Logic):
    """Logic of the attach stage; key = entity.

    An entity in no system is its own; in several, each gets the row.
    """

    name = "attach"
    state_type = Attached
    packed = True

    def __init__(self, memory: int) -> None:
        """`memory`: the longest window of any convergence; older legs are forgotten."""
        self.memory = memory

    def apply(
        self, key: str, state: Attached, time: int, rows: Sequence[Row], emit: Emit, /
    ) -> None:
        """Fold what happened to the entity at one time."""

        def send(system: str, kind: str, why: str, body: dict[str, Any]) -> None:
            id_ = digest(kind, system, key, why, time)
            path = state.systems.get(system, [])
            emit.row(Row(ASSESS, 0, system, time, id_, kind, body | {"entity": key, "path": path}))

        known = [row for row in rows if row.kind in marked.KINDS]
        for body in marked.facts(state, time, known) if known else ():
            _turn(key, state, f"{body['name']}|{body['instance']}", body, send)
        for row in in_order([row for row in rows if row.kind not in marked.KINDS], _RANK):
            if row.kind == "member":
                _move(key, state, row, send)
            elif row.kind == "posture":
                _turn(key, state, row.id, row.body, send)
            else:
                body = row.body | {"leg": row.id, "at": time}
                state.legs.pop(row.id, None)
                state.legs[row.id] = (time, body)
                for system in state.systems or (key,):
                    send(system, "leg", row.id, body)
        while len(state.legs) > LEGS:
            del state.legs[next(iter(state.legs))]

    def fire(self, key: str, state: Attached, until: int, _emit: Emit, /) -> None:
        """Forget legs that no window reaches any more."""
        while (due := self.due(key, state)) is not None and due < until:
            del state.legs[next(iter(state.legs))]

    def due(self, _key: str, state: Attached, /) -> int | None:
        """When the oldest leg is out of every window; they are held in order of time."""
        return next((at + self.memory for at, _ in state.legs.values()), None)

    def idle(self, state: Attached, /) -> bool:
        """True if nothing is known."""
        known = state.affected or state.marks
        return not (state.systems or state.facts or state.legs or known)


def _turn(key: str, state: Attached, why: str, body: dict[str, Any], send: Send) -> None:
    """Open or close a fact, and hand it to the systems."""
    place = f"{body['name']}|{body['instance']}"
    if body["state"] == "open":
        state.facts[place] = body
    else:
        state.facts.pop(place, None)
    for system in state.systems or (key,):
        send(system, "posture", why, body)


def _move(key: str, state: Attached, row: Row, send: Send) -> None:
    """Say leave to the systems lost; hand live legs and open facts to those gained.

    At the time of the change: nothing is taken back from the time before it.
    """
    before, after = state.systems.keys() or {key}, row.body["systems"].keys() or {key}
    for system in sorted(before - after):
        send(system, "leave", row.id, {})
    state.systems = row.body["systems"]
    for system in sorted(after - before):
        for _, body in sorted(state.facts.items()):
            send(system, "posture", f"{row.id}|{body['name']}|{body['instance']}", body)
        for id_, (_, body) in sorted(state.legs.items()):
            send(system, "leg", f"{row.id}|{id_}", body)
