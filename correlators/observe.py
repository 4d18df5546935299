"""Observe: what the sources say of one entity, folded into an asset, its facts and its edges.

A row's time is that from which it holds; `at` is when it was said. They differ only for what came late, and then what is
already known of a later moment stays: a late copy changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from correlators.evidence import listed
from correlators.keyed import Emit
from schemas.canonical import digest
from schemas.rows import Result, Row
from schemas.times import DAY, rfc3339
from schemas.topics import ATTACH, INVENTORY

SCANNER_FINDING = "finding"  # the fact that every scanner finding opens; kept for the posture tables, not for convergences
EXCLUSIVE = frozenset(
    {"asset.exposure", "asset.criticality"}
)  # one value at a time: a new one ends the old
INSTANCES = 5_000  # open facts kept for one entity; more are counted, the oldest closed ones are forgotten first


class Fact(msgspec.Struct, array_like=True, frozen=True):
    """A fact of this entity. `body` is what the last record said of it."""

    name: str
    instance: str
    open: bool
    since: int
    seen: int
    until: int | None
    body: dict[str, Any]


class Edge(msgspec.Struct, array_like=True, frozen=True):
    """An edge that starts here."""

    relation: str
    to: str
    declared: bool
    open: bool
    since: int
    seen: int
    until: int | None


class Asset(msgspec.Struct, array_like=True):
    """An entity, its facts by `name|instance` and its edges by `relation|to`."""

    first_seen: int | None = None
    last_seen: int | None = None
    name: str | None = None
    sources: list[str] = []
    attributes: dict[str, Any] = {}
    facts: dict[str, Fact] = {}
    edges: dict[str, Edge] = {}


# Of rows of one time: what is closed before what is opened (open wins), scans last.
_RANK = {"asset": 0, "fact": 1, "edge": 2, "scan": 3}


class Observe:
    """Logic of the observe stage; key = entity."""

    name = "observe"
    state_type = Asset

    def empty(self, key: str) -> Asset:  # noqa: ARG002
        """An entity of which nothing was said."""
        return Asset()

    def copy(self, state: Asset) -> Asset:
        """A copy that can be changed."""
        return Asset(
            state.first_seen,
            state.last_seen,
            state.name,
            state.sources,
            state.attributes,
            state.facts.copy(),
            state.edges.copy(),
        )

    def fire(self, key: str, state: Asset, until: int, ahead: bool, emit: Emit) -> None:
        """No deadlines: facts hold until they are closed."""

    def apply(self, key: str, state: Asset, time: int, rows: Sequence[Row], emit: Emit) -> None:
        """Fold what was said at one time."""
        for row in sorted(
            rows, key=lambda r: (_RANK[r.kind], r.body.get("state") != "closed", r.id)
        ):
            if row.kind == "asset":
                self._seen(key, state, time, row.body, emit)
            elif row.kind == "fact":
                self._fact(key, state, time, row.body, emit)
            elif row.kind == "edge":
                self._edge(key, state, time, row.body, emit)
            else:
                self._scan(key, state, time, row.body, emit)

    def report(self, key: str, state: Asset, emit: Emit) -> None:
        """Assets, facts and edges are said when they change."""

    def due(self, key: str, state: Asset) -> int | None:  # noqa: ARG002
        """No deadlines."""
        return None

    def idle(self, state: Asset) -> bool:
        """True if nothing was ever settled about the entity."""
        return not (state.facts or state.edges or state.first_seen is not None)

    def provisional(self, key: str) -> bool:  # noqa: ARG002
        """Facts are said as they come."""
        return True

    def complete(self, results: list[Result]) -> list[Result]:
        """Bodies are whole."""
        return results

    def _seen(self, key: str, state: Asset, time: int, body: dict[str, Any], emit: Emit) -> None:
        if state.first_seen is not None and body["at"] < time:
            return
        known = (
            state.name,
            state.sources,
            state.attributes,
            state.last_seen and state.last_seen // DAY,
        )
        if state.first_seen is None:
            state.first_seen = time
        state.name = state.name or body.get("name")
        if body["source"] not in state.sources:
            state.sources = sorted([*state.sources, body["source"]])
        state.attributes = state.attributes | body.get("attributes", {})
        if (state.name, state.sources, state.attributes, time // DAY) == known:
            return
        state.last_seen = time  # told to the day: an entity that is seen all day is one row
        kind, _, id_ = key.partition(":")
        said = {
            "kind": kind,
            "id": id_,
            "name": state.name,
            "first_seen": rfc3339(state.first_seen),
            "last_seen": rfc3339(time),
            "sources": state.sources,
            "attributes": state.attributes,
        }
        emit.result("asset", key, time, {k: v for k, v in said.items() if v is not None})

    def _fact(self, key: str, state: Asset, time: int, body: dict[str, Any], emit: Emit) -> None:
        place = f"{body['name']}|{body['instance']}"
        known, opens, at = state.facts.get(place), body["state"] == "open", body["at"]
        if _outdated(known, at, time):
            return
        if opens and body["name"] in EXCLUSIVE:
            for other, fact in sorted(state.facts.items()):
                if fact.open and fact.name == body["name"] and other != place:
                    state.facts[other] = closed = msgspec.structs.replace(
                        fact, open=False, until=time
                    )
                    self._tell(key, closed, time, emit)
        if known is None and not opens:
            return  # closing what never was open says nothing
        if known is not None and known.open == opens:
            state.facts[place] = msgspec.structs.replace(known, seen=max(known.seen, at))
            return
        since = time if opens else known.since if known else time
        fact = Fact(body["name"], body["instance"], opens, since, at, None if opens else time, body)
        state.facts[place] = fact
        self._bound(state)
        self._tell(key, fact, time, emit)

    def _scan(self, key: str, state: Asset, time: int, body: dict[str, Any], emit: Emit) -> None:
        """A complete scan closes the tool's facts that it did not name again."""
        for place, fact in sorted(state.facts.items()):
            if fact.open and fact.body.get("tool") == body["tool"] and fact.seen < body["at"]:
                closed = msgspec.structs.replace(fact, open=False, until=time)
                state.facts[place] = closed
                self._tell(key, closed, time, emit)

    def _tell(self, key: str, fact: Fact, time: int, emit: Emit) -> None:
        body, state = fact.body, "open" if fact.open else "closed"
        said: dict[str, Any] = {
            "entity": key,
            "name": fact.name,
            "instance": fact.instance,
            "state": "open" if fact.open else "resolved",
            "since": rfc3339(fact.since),
            "severity": body["severity"],
            "confidence": body["confidence"] / 1000,
            "title": body["title"],
            "evidence": listed(map(tuple, body["evidence"])),
        }
        if fact.until is not None:
            said["until"] = rfc3339(fact.until)
        emit.result("fact", digest("fact", key, fact.name, fact.instance), time, said)
        if fact.name != SCANNER_FINDING:
            id_ = digest("posture", key, fact.name, fact.instance, time)
            emit.row(
                Row(
                    ATTACH,
                    0,
                    key,
                    time,
                    id_,
                    "posture",
                    body | {"state": state, "since": fact.since},
                )
            )

    def _edge(self, key: str, state: Asset, time: int, body: dict[str, Any], emit: Emit) -> None:
        place = f"{body['relation']}|{body['to']}"
        known, opens, at = state.edges.get(place), body["state"] == "open", body["at"]
        if _outdated(known, at, time) or (known is None and not opens):
            return
        declared = body["declared"] or (known is not None and known.declared)
        if (
            known is not None
            and known.open == opens
            and known.declared == declared
            and at // DAY == known.seen // DAY
        ):
            return  # an edge goes on only when it opens, closes or ages a day
        fresh = known is None or (opens and not known.open)
        since = time if fresh else known.since if known else time
        edge = Edge(
            body["relation"], body["to"], declared, opens, since, at, None if opens else time
        )
        state.edges[place] = edge
        said: dict[str, Any] = {
            "from": key,
            "relation": edge.relation,
            "to": edge.to,
            "declared": edge.declared,
            "valid_from": rfc3339(edge.since),
            "last_seen": rfc3339(edge.seen),
        }
        if edge.until is not None:
            said["valid_to"] = rfc3339(edge.until)
        emit.result("edge", digest("edge", key, edge.relation, edge.to, edge.since), time, said)
        link = {
            "from": key,
            "relation": edge.relation,
            "to": edge.to,
            "declared": declared,
            "open": opens,
        }
        emit.row(Row(INVENTORY, 0, "estate", time, digest("link", link, time), "link", link))

    @staticmethod
    def _bound(state: Asset) -> None:
        if len(state.facts) > INSTANCES:
            closed = sorted((f.until or 0, place) for place, f in state.facts.items() if not f.open)
            for _, place in closed[: len(state.facts) - INSTANCES]:
                del state.facts[place]


def _outdated(known: Fact | Edge | None, at: int, time: int) -> bool:
    """True for what came late and is not newer than what is known."""
    return known is not None and at < time and at <= known.seen
