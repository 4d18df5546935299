"""Observe: what the sources say of one entity, folded into an asset, its facts and its edges.

A row's time is that from which it holds; `at` is when it was said. They differ only for what came
late, and then what is already known of a later moment stays: a late copy changes nothing.

What deletes a thing (the fact `asset.state`, instance `deleted`) ends its facts and its edges; it
is there again when it is declared or at work afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from msgspec.structs import replace

from correlators import linking, offering, weakness
from correlators.asset import Asset, Fact, Said, Way, again, heard, late
from correlators.evidence import listed
from correlators.logic import Emit, Logic, in_order
from correlators.weakness import FINDING, KIND, VEX
from schemas.canonical import digest
from schemas.rows import Row
from schemas.times import DAY, rfc3339
from schemas.topics import ATTACH, INVENTORY

STATE: Final = "asset.state"
DELETED: Final = "deleted"
# For the tables, not for convergences.
QUIET: Final = frozenset({FINDING, VEX, STATE})
# One value at a time: a new one ends the old.
EXCLUSIVE = frozenset({"asset.exposure", "asset.criticality"})
INSTANCES = 5_000  # facts kept for one entity: of more, those closed longest ago are forgotten

# Scans last: what a scan names at its own time, it has named.
_RANK = {"asset": 0, "fact": 1, "edge": 2, "has": 2, "offers": 2, "scan": 3}
_GONE: Final = f"{STATE}|{DELETED}"


class At:
    """One entity at one time, and where to say what comes of it.

    `touched`: the vulnerabilities of which something was said, and whether it had them before.
    """

    __slots__ = ("emit", "key", "state", "time", "touched")

    def __init__(self, key: str, state: Asset, time: int, emit: Emit) -> None:
        self.key, self.state, self.time, self.emit = key, state, time, emit
        self.touched: dict[str, bool] = {}

    def put(self, place: str, fact: Fact) -> None:
        """A fact takes the place of what was known."""
        known, of = self.state.facts.get(place), fact.body.get(KIND)
        if fact.open != (known is not None and known.open):
            if of is not None and of not in self.touched and fact.name in {FINDING, VEX}:
                self.touched[of] = weakness.has(self.state, of)
            weakness.count(self.state, known, fact)
        self.state.facts[place] = fact


class Observe(Logic):
    """Logic of the observe stage; key = entity."""

    name = "observe"
    state_type = Asset
    packed = True

    def apply(self, key: str, state: Asset, time: int, rows: Sequence[Row], emit: Emit, /) -> None:
        """Fold what was said at one time; assets, facts and edges are told when they change."""
        at, was_gone = At(key, state, time, emit), _gone(state)
        for row in in_order(rows, _RANK):
            if row.kind == "asset":
                _seen(at, row.body)
            elif row.kind == "fact":
                _fact(at, row.body)
            elif row.kind == "edge":
                linking.edge(key, state, time, row.body, emit)
            elif row.kind == "has":
                weakness.remember(key, state, time, row.body, emit)
            elif row.kind == "offers":
                offering.offer(state, time, row.body, emit)
            else:
                _scan(at, row.body)
        if _gone(state) and not was_gone:
            _delete(at)
        if at.touched:
            _waive(at)
            weakness.tell(key, state, time, at.touched, emit)
        if _gone(state) != was_gone:
            body = {"entity": key, "open": not _gone(state)}
            emit.row(Row(INVENTORY, 0, "estate", time, digest("gone", body, time), "gone", body))

    def idle(self, state: Asset, /) -> bool:
        """True if nothing was ever settled about the entity."""
        known = state.facts or state.edges or state.assets
        return not known and state.first_seen is None


def _seen(at: At, body: dict[str, Any]) -> None:
    """The entity was seen. Told to the day: one that is seen all day is one row."""
    state, time, way = at.state, at.time, body.get("way")
    if state.first_seen is not None and body["at"] < time:
        return
    if way is not None and _gone(state):
        _end(at, _GONE)
    if _known(state, time, body):
        return
    if state.first_seen is None:
        state.first_seen = time
    state.last_seen = time
    state.name = state.name or body.get("name")
    if body["source"] not in state.sources:
        state.sources = sorted([*state.sources, body["source"]])
    if "attributes" in body:
        state.attributes = state.attributes | body["attributes"]
    if way is not None:
        setattr(state, way, again(getattr(state, way), time))
    state.history = _heard(state, time, body)
    at.emit.result("asset", at.key, time, _asset(at.key, state))


def _known(state: Asset, time: int, body: dict[str, Any]) -> bool:
    """Whether nothing of it is new, as of nearly all."""
    last, way = state.last_seen, body.get("way")
    if last is None or time // DAY != last // DAY or body["source"] not in state.sources:
        return False
    if way is not None:
        before: Way | None = getattr(state, way)
        if before is None or again(before, time) is not before:
            return False
    if "confidence" not in body:  # it says no name and no attribute
        return True
    named = (state.name or body.get("name")) == state.name
    said = state.attributes | body.get("attributes", {}) == state.attributes
    return named and said and _heard(state, time, body) is state.history


def _heard(state: Asset, time: int, body: dict[str, Any]) -> dict[str, Said]:
    """The history with what is said now of the name and of attributes."""
    if "confidence" not in body:
        return state.history
    said = body.get("attributes", {}) | ({"name": body["name"]} if "name" in body else {})
    return heard(state.history, said, body["source"], time, body["confidence"])


def _asset(key: str, state: Asset) -> dict[str, Any]:
    kind, _, id_ = key.partition(":")
    said: dict[str, Any] = {"kind": kind, "id": id_, "name": state.name}
    for name in ("first_seen", "last_seen"):
        said[name] = rfc3339(getattr(state, name))
    for name, way in (("declared", state.declared), ("observed", state.observed)):
        if way is not None:
            said |= {f"{name}_from": rfc3339(way.since), f"{name}_seen": rfc3339(way.seen)}
    said |= {"sources": state.sources, "attributes": state.attributes}
    if state.history:
        said["history"] = [
            {
                "name": one.name,
                "value": one.value,
                "source": one.source,
                "first_seen": rfc3339(one.since),
                "last_seen": rfc3339(one.seen),
                "confidence": one.confidence / 1000,
            }
            for one in sorted(state.history.values(), key=lambda o: (o.name, o.since, o.source))
        ]
    return {name: value for name, value in said.items() if value is not None}


def _fact(at: At, body: dict[str, Any]) -> None:
    """A record opens or closes a fact; one that is open already was only seen again."""
    state, time, name = at.state, at.time, body["name"]
    place = f"{name}|{body['instance']}"
    known, opens, said = state.facts.get(place), body["state"] == "open", body["at"]
    if known is not None and late(said, time, known.seen):
        return
    if name == STATE and said < time and said <= (state.last_seen or said):
        return  # it was there after that
    if opens and name in EXCLUSIVE:
        for other, fact in sorted(state.facts.items()):
            if fact.open and fact.name == name and other != place:
                _end(at, other)
    if known is None and not opens:
        return  # closing what never was open says nothing
    if known is not None and (known.open or known.waived) == opens:
        at.put(place, replace(known, seen=max(known.seen, said)))
        return
    if known is not None and known.waived:  # what was not told as open is not told as closed
        at.put(place, replace(known, waived=False, seen=said))
        return
    waived = opens and name not in QUIET and weakness.waives(state, body.get(KIND))
    since = known.since if known is not None and not opens else time
    until = time if waived or not opens else None
    fact = Fact(name, body["instance"], opens and not waived, since, said, until, body, waived)
    at.put(place, fact)
    _bound(state)
    if not waived:
        _tell(at, fact)


def _scan(at: At, body: dict[str, Any]) -> None:
    """A complete scan closes the tool's facts that it did not name again."""
    for place, fact in sorted(at.state.facts.items()):
        if fact.body.get("tool") == body["tool"] and fact.seen < body["at"] and fact.name != VEX:
            if fact.open:
                _end(at, place)
            elif fact.waived:
                at.put(place, replace(fact, waived=False))


def _waive(at: At) -> None:
    """Facts of a vulnerability end while a VEX statement stands against it, and hold again after.

    What scanners say stays as they say it: it is the statement that wins, not the record.
    """
    for place, fact in sorted(at.state.facts.items()):
        of = fact.body.get(KIND)
        if of not in at.touched or fact.name in QUIET:
            continue
        waived = weakness.waives(at.state, of)
        if waived and fact.open:
            at.put(place, replace(fact, open=False, until=at.time, waived=True))
            _tell(at, at.state.facts[place])
        elif fact.waived and not waived:
            at.put(place, replace(fact, open=True, since=at.time, until=None, waived=False))
            _tell(at, at.state.facts[place])


def _gone(state: Asset) -> bool:
    known = state.facts.get(_GONE)
    return known is not None and known.open


def _delete(at: At) -> None:
    """It is no more: what was said of it up to then ends."""
    said = at.state.facts[_GONE].seen
    for place, fact in sorted(at.state.facts.items()):
        if place != _GONE and (fact.open or fact.waived) and fact.seen <= said:
            _end(at, place)
    for place, edge in sorted(at.state.edges.items()):
        if edge.seen <= said:
            linking.end(at.key, at.state, place, at.time, at.emit)


def _end(at: At, place: str) -> None:
    """Something else than a record of its own closes a fact."""
    known = at.state.facts[place]
    at.put(place, replace(known, open=False, waived=False, until=at.time))
    if known.open:
        _tell(at, at.state.facts[place])


def _tell(at: At, fact: Fact) -> None:
    body, key, time = fact.body, at.key, at.time
    said: dict[str, Any] = {
        "entity": key,
        "name": fact.name,
        "instance": fact.instance,
        "state": "open" if fact.open else "resolved",
        "since": rfc3339(fact.since),
        "severity": body["severity"],
        "confidence": body["confidence"] / 1000,
        "title": body["title"],
        "tool": body["tool"],
        "evidence": listed(map(tuple, body["evidence"])),
        **body.get("finding", {}),
    }
    if KIND in body:
        said[KIND] = body[KIND]
    if fact.until is not None:
        said["until"] = rfc3339(fact.until)
    # An episode each: what is told early and taken back must not take what is final with it.
    id_ = digest("fact", key, fact.name, fact.instance, fact.since)
    at.emit.result("fact", id_, time, said)
    if fact.name in QUIET:
        return
    if key.startswith(f"{KIND}:"):
        weakness.spread(key, at.state, fact, time, at.emit)
        return
    posture = body | {"state": "open" if fact.open else "closed", "since": fact.since}
    posture.pop("finding", None)
    id_ = digest("posture", key, fact.name, fact.instance, time)
    at.emit.row(Row(ATTACH, 0, key, time, id_, "posture", posture))


def _bound(state: Asset) -> None:
    if len(state.facts) > INSTANCES:
        closed = sorted((f.until or 0, place) for place, f in state.facts.items() if not f.open)
        for _, place in closed[: len(state.facts) - INSTANCES]:
            del state.facts[place]
