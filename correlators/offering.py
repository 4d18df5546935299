"""Offering: servers that are known by their title alone, joined with the one that offers the same.

At work many a server on stdio says nothing but its title; a scanner that started it knows by what.
Both saw the definitions of its tools. The hash of these is a key of observe, `manifest:<sha256>`,
where the servers that offer exactly that meet:

1. A title is `same_as` the one server that is known by more and offers the same, and so are their
   tools, less sure than a record that says so.
2. Two such servers are not one: a copy of a server offers what the original does, and so does a
   second instance. While there are two, a title is neither.
"""

from __future__ import annotations

from typing import Any, Final

from correlators import linking
from correlators.asset import Asset, Edge, Way
from correlators.logic import Emit
from schemas.event import Event

KIND: Final = "manifest"
MOST: Final = 256  # servers that offer the same, and tools of one; of more, some are left out
_SURE: Final = 800  # thousandths
_TOOLS: Final = "tools"


def offered(event: Event) -> tuple[str, dict[str, Any]] | None:
    """The key and what the event says there: a server, whether by title alone, and its tools."""
    hashed = event.attributes.get("mcp.manifest.sha256")
    if not isinstance(hashed, str) or event.status == "failure":
        return None
    server = next((one for one in event.entities if one.kind == "mcp_server"), None)
    if server is None:
        return None
    own = f"{server.id}/"
    tools = [one.id for one in event.entities if one.kind == "tool" and one.id.startswith(own)]
    body = {
        "server": server.id,
        "titled": event.attributes.get("mcp.server.name") == server.id,
        _TOOLS: sorted(tool.removeprefix(own) for tool in tools)[:MOST],
        "at": event.time,
    }
    return f"{KIND}:{hashed}", body


def offer(state: Asset, time: int, body: dict[str, Any], emit: Emit) -> None:
    """A server offers this; who is the same as who changes with it."""
    server, tools = body["server"], state.attributes.get(_TOOLS, [])
    known = state.assets.get(server)
    state.assets[server] = max(body["at"], known or body["at"])
    if len(state.assets) > MOST:
        oldest = min(state.assets, key=lambda one: (state.assets[one], one))
        del state.assets[oldest]
    fresh = sorted({*tools, *body[_TOOLS]})[:MOST]
    titled: dict[str, bool] = state.attributes.get("titled", {})
    alone = body["titled"] and titled.get(server, True)  # who once was known by more, is
    if known is not None and fresh == tools and titled.get(server) == alone:
        return
    kept = {one: titled[one] for one in state.assets if one in titled}
    state.attributes = {_TOOLS: fresh, "titled": kept | {server: alone}}
    _join(state, time, emit)


def _join(state: Asset, time: int, emit: Emit) -> None:
    titled, tools = state.attributes["titled"], state.attributes[_TOOLS]
    located = [one for one in titled if not titled[one]]
    pairs: dict[str, tuple[str, str]] = {}
    for one in sorted(one for one in titled if titled[one]) if len(located) == 1 else ():
        names = [("mcp_server:", ""), *(("tool:", f"/{tool}") for tool in tools)]
        for kind, end in names:
            from_, to = f"{kind}{one}{end}", f"{kind}{located[0]}{end}"
            pairs[f"{from_}|{to}"] = (from_, to)
    for place, edge in sorted(state.edges.items()):
        if edge.open and place not in pairs:
            linking.end(place.partition("|")[0], state, place, time, emit)
    for place, (from_, to) in pairs.items():
        known = state.edges.get(place)
        if known is None or not known.open:
            way = Way(time, time)
            fresh = Edge(
                relation="same_as",
                to=to,
                open=True,
                since=time,
                seen=time,
                until=None,
                declared=None,
                observed=way,
                confidence=_SURE,
            )
            state.edges[place] = fresh
            linking.tell(from_, fresh, time, emit)
