"""Manifests: the tools that an MCP server offers, as a hash and the cues in their texts."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from correlators.cues import cues
from schemas.canonical import canonical
from schemas.config import Limits
from streams.source import Json, Unreadable
from streams.untrusted import decode, listing, mapping, text

# Where instrumentations put what tools/list gave.
_PLACES: Final = (
    "gen_ai.tool.definitions",
    "mcp.tool.definitions",
    "mcp.tools",
    "mcp.result",
    "gen_ai.tool.call.result",
    "body",
)
_LIMITS: Final = Limits()


def manifest(said: Mapping[str, Json]) -> dict[str, Json]:
    """`mcp.manifest.*` attributes of a record about the tools of a server, empty without tools.

    The hash is over the definitions, whatever their order and their spaces. They may be structured
    or a JSON text, bare or in the `tools` of a result.
    """
    for place in _PLACES:
        tools = _tools(said.get(place))
        if tools:
            hashed = sha256(b"\n".join(sorted(map(canonical, tools)))).hexdigest()
            return {"mcp.manifest.sha256": hashed, "mcp.manifest.cues": cues(tools)}
    return {}


def _tools(value: Json) -> list[Json]:
    if isinstance(value, str) and value.lstrip()[:1] in {"[", "{"}:
        try:
            value = decode(value.encode(), _LIMITS)
        except Unreadable:  # a text that only looks like JSON: no list of tools
            return []
    inner = mapping(value)
    inner = mapping(inner.get("result")) or inner
    shown = listing(value) or listing(inner.get("tools"))
    return shown if all(map(_is_tool, shown)) else []


def _is_tool(value: Json) -> bool:
    shown = mapping(value)
    return text(shown.get("name")) is not None or "name" in mapping(shown.get("function"))
