"""Observe: what the sources say of one entity, folded into an asset, its facts and its edges.

A row's time is that from which it holds; `at` is when it was said. They differ only for what came
late, and then what is already known of a later moment stays: a late copy changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from correlators.evidence import listed
from correlators.logic import Emit, Logic, in_order
from schemas.canonical import digest
from schemas.rows import Row
from schemas.times import DAY, rfc3339
from schemas.topics import ATTACH, INVENTORY

# The fact that every scanner finding opens: for the posture tables, not for convergences.
SCANNER_FINDING = "finding"
# One value at a time: a new one ends the old.
EXCLUSIVE = frozenset({"asset.exposure", "asset.criticality"})
INSTANCES = 5_000  # facts kept for one entity: of more, those closed longest ago are forgotten

# Scans last: what a scan names at its own time, it has named.
_RANK = {"asset": 0, "fact": 1, "edge": 2, "scan": 3}


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

    def copy(self) -> Asset:
        """A copy that can be changed: sources and attributes are replaced, never altered."""
        return msgspec.structs.replace(self, facts=self.facts.copy(), edges=self.edges.copy())


class Observe(Logic):
    """Logic of the observe stage; key = entity."""

    name = "observe"
    state_type = Asset

    def apply(self, key: str, state: Asset, time: int, rows: Sequence[Row], emit: Emit, /) -> None:
        """Fold what was said at one time; assets, facts and edges are told when they change."""
        for row in in_order(rows, _RANK):
            if row.kind == "asset":
                _seen(key, state, time, row.body, emit)
            elif row.kind == "fact":
                _fact(key, state, time, row.body, emit)
            elif row.kind == "edge":
                _edge(key, state, time, row.body, emit)
            else:
                _scan(key, state, time, row.body, emit)

    def idle(self, state: Asset, /) -> bool:
        """True if nothing was ever settled about the entity."""
        return not (state.facts or state.edges or state.first_seen is not None)


def _seen(key: str, state: Asset, time: int, body: dict[str, Any], emit: Emit) -> None:
    """The entity was seen. Told to the day: one that is seen all day is one row."""
    if state.first_seen is not None and body["at"] < time:
        return
    day = None if state.last_seen is None else state.last_seen // DAY
    known = (state.name, state.sources, state.attributes, day)
    if state.first_seen is None:
        state.first_seen = time
    state.name = state.name or body.get("name")
    if body["source"] not in state.sources:
        state.sources = sorted([*state.sources, body["source"]])
    state.attributes = state.attributes | body.get("attributes", {})
    if (state.name, state.sources, state.attributes, time // DAY) == known:
        return
    state.last_seen = time
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


def _fact(key: str, state: Asset, time: int, body: dict[str, Any], emit: Emit) -> None:
    """A record opens or closes a fact; one that is open already was only seen again."""
    place = f"{body['name']}|{body['instance']}"
    known, opens, at = state.facts.get(place), body["state"] == "open", body["at"]
    if _outdated(known, at, time):
        return
    if opens and body["name"] in EXCLUSIVE:
        for other, fact in sorted(state.facts.items()):
            if fact.open and fact.name == body["name"] and other != place:
                _end(key, state, other, time, emit)
    if known is None and not opens:
        return  # closing what never was open says nothing
    if known is not None and known.open == opens:
        state.facts[place] = msgspec.structs.replace(known, seen=max(known.seen, at))
        return
    since = known.since if known is not None and not opens else time
    fact = Fact(body["name"], body["instance"], opens, since, at, None if opens else time, body)
    state.facts[place] = fact
    _bound(state)
    _tell(key, fact, time, emit)


def _scan(key: str, state: Asset, time: int, body: dict[str, Any], emit: Emit) -> None:
    """A complete scan closes the tool's facts that it did not name again."""
    for place, fact in sorted(state.facts.items()):
        if fact.open and fact.body.get("tool") == body["tool"] and fact.seen < body["at"]:
            _end(key, state, place, time, emit)


def _end(key: str, state: Asset, place: str, time: int, emit: Emit) -> None:
    """Something else than a record of its own closes a fact."""
    closed = msgspec.structs.replace(state.facts[place], open=False, until=time)
    state.facts[place] = closed
    _tell(key, closed, time, emit)


def _tell(key: str, fact: Fact, time: int, emit: Emit) -> None:
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
        posture = body | {"state": state, "since": fact.since}
        emit.row(Row(ATTACH, 0, key, time, id_, "posture", posture))


def _edge(key: str, state: Asset, time: int, body: dict[str, Any], emit: Emit) -> None:
    """A record opens or closes an edge, which goes on only when it changes or ages a day."""
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
        return
    since = time if known is None or (opens and not known.open) else known.since
    until = None if opens else time
    edge = Edge(body["relation"], body["to"], declared, opens, since, at, until)
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


def _bound(state: Asset) -> None:
    if len(state.facts) > INSTANCES:
        closed = sorted((f.until or 0, place) for place, f in state.facts.items() if not f.open)
        for _, place in closed[: len(state.facts) - INSTANCES]:
            del state.facts[place]


def _outdated(known: Fact | Edge | None, at: int, time: int) -> bool:
    """True for what came late and is not newer than what is known."""
    return known is not None and at < time and at <= known.seen
