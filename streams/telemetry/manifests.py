"""Manifests: the tools that an MCP server offers, as a hash and the cues in their texts."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from correlators.cues import cues
from schemas.canonical import canonical
from streams.records.untrusted import listing, mapping, opened, text
from streams.source import Json

# Where instrumentations put what tools/list gave.
_PLACES: Final = (
    "gen_ai.tool.definitions",
    "mcp.tool.definitions",
    "mcp.tools",
    "mcp.result",
    "gen_ai.tool.call.result",
    "body",
)


def manifest(said: Mapping[str, Json]) -> dict[str, Json]:
    """`mcp.manifest.*` attributes of a record about the tools of a server, empty without tools.

    The hash is over the definitions, whatever their order and their spaces, and whether what a
    definition does not say is absent or null. They may be structured or a JSON text, bare or in the
    `tools` of a result.
    """
    for place in _PLACES:
        tools = [_definition(tool) for tool in _tools(said.get(place))]
        if tools:
            hashed = sha256(b"\n".join(sorted(map(canonical, tools)))).hexdigest()
            return {"mcp.manifest.sha256": hashed, "mcp.manifest.cues": cues(tools)}
    return {}


def offered(tools: Json) -> dict[str, Json]:
    """The same of a list of definitions that a scanner read from a server."""
    return manifest({_PLACES[0]: tools})


def _definition(tool: Json) -> dict[str, Json]:
    """A definition as servers send it: Python SDKs write null, and `meta`, for what is not said."""
    shown = {name: value for name, value in mapping(tool).items() if value is not None}
    if "meta" in shown and "inputSchema" in shown:
        shown["_meta"] = shown.pop("meta")
    for name in ("annotations", "execution"):
        if isinstance(shown.get(name), dict):
            inner = mapping(shown[name]).items()
            shown[name] = {key: value for key, value in inner if value is not None}
    return shown


def _tools(value: Json) -> list[Json]:
    value = opened(value)
    inner = mapping(value)
    inner = mapping(inner.get("result")) or inner
    shown = listing(value) or listing(inner.get("tools"))
    return shown if all(map(_is_tool, shown)) else []


def _is_tool(value: Json) -> bool:
    shown = mapping(value)
    return text(shown.get("name")) is not None or "name" in mapping(shown.get("function"))
