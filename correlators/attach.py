"""Attach: hands the signals, findings and facts of one entity to the AI systems that it belongs to, as of their time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from correlators.keyed import Emit
from schemas.canonical import digest
from schemas.rows import Result, Row
from schemas.topics import ASSESS

LEGS = 200  # recent legs kept for a system that the entity joins later; the newest are kept

Edges = list[list[str]]  # the path from the root of a system to the entity


class Attached(msgspec.Struct, array_like=True):
    """Systems of the entity with the path to it, its open facts by `name|instance`, and its recent legs by id."""

    systems: dict[str, Edges] = {}
    facts: dict[str, dict[str, Any]] = {}
    legs: dict[str, tuple[int, dict[str, Any]]] = {}


# At equal times facts come first, then membership, then legs; of facts, open wins over closed.
_RANK = {"posture": 0, "member": 1, "signal": 2, "finding": 2}


class Attach:
    """Logic of the attach stage; key = entity. An entity in no system is its own; in several, each gets the row."""

    name = "attach"
    state_type = Attached

    def __init__(self, memory: int) -> None:
        """`memory`: the longest window of any convergence, in microseconds; older legs are not handed on."""
        self.memory = memory

    def empty(self, key: str) -> Attached:  # noqa: ARG002
        """An entity of its own, about which nothing is known."""
        return Attached()

    def copy(self, state: Attached) -> Attached:
        """A copy that can be changed."""
        return Attached(state.systems, state.facts.copy(), state.legs.copy())

    def fire(self, key: str, state: Attached, until: int, ahead: bool, emit: Emit) -> None:
        """No deadlines."""

    def apply(self, key: str, state: Attached, time: int, rows: Sequence[Row], emit: Emit) -> None:
        """Fold what happened to the entity at one time."""

        def send(system: str, kind: str, why: str, body: dict[str, Any]) -> None:
            id_ = digest(kind, system, key, why, time)
            path = state.systems.get(system, [])
            emit.row(Row(ASSESS, 0, system, time, id_, kind, body | {"entity": key, "path": path}))

        for row in sorted(
            rows, key=lambda r: (_RANK[r.kind], r.body.get("state") != "closed", r.id)
        ):
            if row.kind == "member":
                self._move(key, state, row, send)
            elif row.kind == "posture":
                place = f"{row.body['name']}|{row.body['instance']}"
                if row.body["state"] == "open":
                    state.facts[place] = row.body
                else:
                    state.facts.pop(place, None)
                for system in state.systems or (key,):
                    send(system, "posture", row.id, row.body)
            else:
                body = row.body | {"leg": row.id, "at": time}
                state.legs.pop(row.id, None)
                state.legs[row.id] = (time, body)
                for system in state.systems or (key,):
                    send(system, "leg", row.id, body)
        oldest = time - self.memory
        stale = [i for i, (at, _) in state.legs.items() if at < oldest] if state.legs else []
        for id_ in stale or list(state.legs)[: max(0, len(state.legs) - LEGS)]:
            del state.legs[id_]

    def report(self, key: str, state: Attached, emit: Emit) -> None:
        """Everything was said in rows."""

    def due(self, key: str, state: Attached) -> int | None:  # noqa: ARG002
        """No deadlines."""
        return None

    def idle(self, state: Attached) -> bool:
        """True if nothing is known."""
        return not (state.systems or state.facts or state.legs)

    def provisional(self, key: str) -> bool:  # noqa: ARG002
        """Rows go on as they come."""
        return True

    def complete(self, results: list[Result]) -> list[Result]:
        """There are no results."""
        return results

    @staticmethod
    def _move(key: str, state: Attached, row: Row, send: Any) -> None:
        """Hand live legs and open facts to the systems gained, at the time of the change; say leave to those lost."""
        before, after = state.systems or {key: []}, row.body["systems"] or {key: []}
        for system in sorted(before.keys() - after.keys()):
            send(system, "leave", row.id, {})
        state.systems = row.body["systems"]
        for system in sorted(after.keys() - before.keys()):
            for _, body in sorted(state.facts.items()):
                send(system, "posture", f"{row.id}|{body['name']}|{body['instance']}", body)
            for id_, (_, body) in sorted(state.legs.items()):
                send(system, "leg", f"{row.id}|{id_}", body)
