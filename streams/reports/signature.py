"""Signature: what an MCP server of an mcp-scan report is and offers, in exact slices."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from schemas.config import Limits
from schemas.entity import Entity
from streams.records.untrusted import decode, listing, mapping, slices
from streams.reports import servers
from streams.source import Unreadable


class _Offer(msgspec.Struct):
    prompts: list[msgspec.Raw] | None = None
    resources: list[msgspec.Raw] | None = None
    templates: list[msgspec.Raw] | None = msgspec.field(default=None, name="resource_templates")
    tools: msgspec.Raw = msgspec.Raw()

    def before(self) -> int:
        """How many entities come before the tools where entities are counted."""
        return sum(len(ones or ()) for ones in (self.prompts, self.resources, self.templates))


class _Server(_Offer):
    name: str | None = None
    server: msgspec.Raw = msgspec.Raw(b"{}")
    signature: _Offer | None = None
    error: msgspec.Raw = msgspec.Raw(b"null")


class _Issue(msgspec.Struct):
    reference: list[int | None] | None = None


_SERVER: Final = msgspec.json.Decoder(_Server)
_ISSUE: Final = msgspec.json.Decoder(_Issue)
_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw] | None)
_LIMITS: Final = Limits()


class Signature(NamedTuple):
    """What a server is and offers; `listing` is the exact text of its tools, which are `named`."""

    server: servers.Server | None
    before: int = 0
    listing: bytes = b""
    tools: tuple[bytes, ...] = ()
    named: tuple[Entity | None, ...] = ()
    failed: bool = False

    def at(self, place: int | None) -> tuple[Entity, ...]:
        """The tool at a place among all that the server offers."""
        within = -1 if place is None else place - self.before
        tool = self.named[within] if 0 <= within < len(self.named) else None
        return (tool,) if tool else ()


def signature(data: bytes) -> Signature:
    """A server of a report; without `server` where it cannot be read."""
    try:
        said = slices(data, _SERVER)
        declared = mapping(decode(bytes(said.server), _LIMITS))
        shown = said.signature or said
        tools = slices(bytes(shown.tools), _LIST) if bytes(shown.tools) else None
        names = [mapping(decode(bytes(one), _LIMITS)).get("name") for one in tools or ()]
    except Unreadable:  # it is a record all the same, and will be rejected as one
        return Signature(None)
    static = listing(declared.get("signature"))  # tools that somebody wrote down: no server runs
    server = servers.declared(said.name or declared.get("name"), {} if static else declared)
    return Signature(
        server=server,
        before=shown.before(),
        listing=bytes(shown.tools),
        tools=tuple(bytes(one) for one in tools or ()),
        named=tuple(servers.tool(server.entity if server else None, name) for name in names),
        failed=bytes(said.error) != b"null" or tools is None,
    )


def reference(issue: bytes) -> list[int | None] | None:
    """Which server, and which of what it offers, an issue is about; None of all."""
    try:
        return slices(issue, _ISSUE).reference
    except Unreadable:
        return None
