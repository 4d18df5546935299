"""Linking: how an edge opens, is seen again and ends, with both ways of knowing it kept apart.

Laws:
1. Each way has its own beginning and its own last time. The edge holds while any way does.
2. An end is the end of both ways: what was detached is not used. If it is seen at work afterwards
   that is a new edge, which was observed and not declared.
3. An edge is as certain as the most certain record of it, since it opened.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from correlators.asset import Asset, Edge, Way, again, late
from correlators.logic import Emit
from schemas.canonical import digest
from schemas.rows import Row
from schemas.times import rfc3339
from schemas.topics import INVENTORY


def edge(key: str, state: Asset, time: int, body: dict[str, Any], emit: Emit) -> None:
    """A record opens or closes an edge, which goes on only when it changes or ages a day."""
    place = f"{body['relation']}|{body['to']}"
    known, opens, at = state.edges.get(place), body["state"] == "open", body["at"]
    if known is None and not opens:
        return
    if known is not None and not (opens and known.open) and late(at, time, known.seen):
        return
    if not opens:
        end(key, state, place, time, emit, at)
        return
    confidence = round(body.get("confidence", 1.0) * 1000)
    way = "declared" if body["declared"] else "observed"
    if known is not None and known.open:
        before: Way | None = getattr(known, way)
        # What came late holds from now on, and was said before: it is not newer than what is known.
        now = again(before, time if before is None else at)
        if now is before and confidence <= known.confidence:
            return
        seen, sure = max(known.seen, now.seen), max(known.confidence, confidence)
        fresh = replace(known, seen=seen, confidence=sure, **{way: now})
    else:
        fresh = Edge(
            relation=body["relation"],
            to=body["to"],
            open=True,
            since=time,
            seen=at,
            until=None,
            declared=Way(time, at) if body["declared"] else None,
            observed=None if body["declared"] else Way(time, at),
            confidence=confidence,
        )
    state.edges[place] = fresh
    tell(key, fresh, time, emit)


def end(key: str, state: Asset, place: str, time: int, emit: Emit, at: int | None = None) -> None:
    """The edge no longer holds, as was said `at` a time; one that had ended is not told again."""
    known = state.edges[place]
    if known.open:
        at = time if at is None else at
        state.edges[place] = replace(known, open=False, seen=max(at, known.seen), until=time)
        tell(key, state.edges[place], time, emit)


def tell(key: str, edge: Edge, time: int, emit: Emit) -> None:
    """Say how an edge from `key` stands, to the tables and to the inventory."""
    said: dict[str, Any] = {
        "from": key,
        "relation": edge.relation,
        "to": edge.to,
        "declared": edge.declared is not None,
        "observed": edge.observed is not None,
        "valid_from": rfc3339(edge.since),
        "last_seen": rfc3339(edge.seen),
        "confidence": edge.confidence / 1000,
    }
    for name, way in (("declared", edge.declared), ("observed", edge.observed)):
        if way is not None:
            said |= {f"{name}_from": rfc3339(way.since), f"{name}_seen": rfc3339(way.seen)}
    if edge.until is not None:
        said["valid_to"] = rfc3339(edge.until)
    emit.result("edge", digest("edge", key, edge.relation, edge.to, edge.since), time, said)
    link = {
        "from": key,
        "relation": edge.relation,
        "to": edge.to,
        "declared": edge.declared is not None,
        "open": edge.open,
    }
    emit.row(Row(INVENTORY, 0, "estate", time, digest("link", link, time), "link", link))
