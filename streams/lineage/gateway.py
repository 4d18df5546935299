"""AgentCore calls at work: what CloudTrail's data events tell of gateways, their tools and users.

target -uses-> tool -served_by-> gateway

They have the MCP message in `body`, without its arguments and results, and no `errorCode`: what
was refused shows in the status of HTTP. A caller with a token is named by its claims only.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from schemas.entity import Entity
from schemas.event import Edge
from streams.lineage.calls import at, tool_of
from streams.names import arns
from streams.records.untrusted import distinct, edge, entity, listing, mapping, number, text
from streams.source import Json

_CLAIMS: Final = ("email", "preferred_username", "username", "client_id", "sub")
_REFUSED: Final = 400  # and above, of HTTP
_MOST: Final = 8  # resources of one call


class Used(NamedTuple):
    """What was called, the edges that show by it, and what else there is to say."""

    things: tuple[Entity, ...] = ()
    edges: tuple[Edge, ...] = ()
    attributes: dict[str, Json] = {}  # noqa: RUF012 - never written to


_NOTHING: Final = Used()


def bearer(call: dict[str, Json]) -> Entity | None:
    """Whose token it was: a person by e-mail, else what the issuer calls the caller."""
    claims = mapping(at(call.get("additionalEventData"), "jwt", "claims"))
    known = next(filter(None, (text(claims.get(name), 256) for name in _CLAIMS)), None)
    return entity("principal", known and known.lower())


def refused(call: dict[str, Json]) -> str | None:
    """The status of HTTP of a call that was refused."""
    code = number(at(call.get("responseElements"), "statusCode"))
    return f"{code:g}" if code is not None and code >= _REFUSED else None


def used(service: str, call: dict[str, Json]) -> Used:
    """The resources of a call of Bedrock, and the tool of a call of a gateway."""
    if not service.startswith("bedrock"):
        return _NOTHING
    held = (mapping(one).get("ARN") for one in listing(call.get("resources"))[:_MOST])
    things = distinct(map(arns.asset, held))
    server = next((one for one in things if one.kind == "mcp_server"), None)
    message = mapping(at(call.get("requestParameters"), "body"))
    method = text(message.get("method"), 64)
    if server is None or method is None:
        return Used(things)
    name = text(at(message, "params", "name"), 128) if method == "tools/call" else None
    tool = tool_of(server, name)
    target = tool_of(server, at(call.get("additionalEventData"), "targetId"))
    edges = [edge(tool, "served_by", server)] if tool else []
    edges += [edge(target, "uses", tool)] if tool and target else []
    said: dict[str, Json] = {"mcp.method.name": method, "gen_ai.tool.name": name}
    return Used(
        distinct((tool, *things, target)), tuple(edges), {k: v for k, v in said.items() if v}
    )
