"""Servers: MCP servers as configurations and scanners declare them, without their secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from schemas.entity import Entity
from schemas.event import Edge
from streams.names import mcp
from streams.records.untrusted import edge, entity, listing, mapping, secret, text
from streams.source import Json

_URLS: Final = ("url", "serverUrl", "server_url", "httpUrl", "uri", "endpoint")
_HOME: Final = re.compile(r"^(?:/Users/[^/]+|/home/[^/]+|[A-Za-z]:/Users/[^/]+)(?=/)")
# How scanners call some clients, else -> here.
_CLIENTS: Final = {
    "claude": "claude-desktop",
    "copilot": "vscode",
    "gemini": "gemini-cli",
    "vs-code": "vscode",
    "vscode-copilot": "vscode",
}
_MOST: Final = 64  # variables and headers of one server
_LABELS: Final = ("private_data", "is_public_sink", "untrusted_content", "destructive")
ATTRIBUTES: Final = frozenset(
    """
    mcp.auth mcp.config mcp.disabled mcp.env mcp.manifest.cues mcp.manifest.sha256
    mcp.secret_in_config mcp.server.name mcp.transport
    """.split()  # noqa: SIM905 - names read better as a paragraph
)


class Server(NamedTuple):
    """A server and what its declaration says of it, `mcp.*` attributes."""

    entity: Entity
    attributes: dict[str, Json]


def declared(name: Json, said: Mapping[str, Json]) -> Server | None:
    """The server that a client calls `name`; None where neither name nor declaration says it.

    Scanners list the skills of a client as servers of type `skill`: those are skills.

    `mcp.env` and `mcp.auth` are the names of variables and headers, `mcp.secret_in_config` that a
    value, or a word of the command, looks like a credential.
    """
    url = next((said[key] for key in _URLS if text(said.get(key))), None)
    command, args = _started(said)
    if said.get("type") == "skill":
        found = entity("skill", name)
    else:
        found = mcp.server(url=url, command=command, args=args, title=name)
    if found is None:
        return None
    env = mapping(said.get("env")) or mapping(said.get("environment"))
    headers = mapping(said.get("headers")) or mapping(said.get("requestInit")).get("headers")
    kept = {
        "mcp.transport": text(said.get("type") or said.get("transport"), 32)
        or ("stdio" if text(command) else "http" if text(url) else None),
        "mcp.env": sorted(key[:128] for key in list(env)[:_MOST]) or None,
        "mcp.auth": sorted(key[:128].lower() for key in list(mapping(headers))[:_MOST]) or None,
        "mcp.disabled": True
        if said.get("disabled") is True or said.get("enabled") is False
        else None,
        "mcp.secret_in_config": _secret(url, command, args, env, mapping(headers)) or None,
        "mcp.server.name": text(name, 256),
    }
    return Server(found, {key: value for key, value in kept.items() if value is not None})


def client(name: Json) -> Entity | None:
    """The application that has servers configured, by one name: `Claude Code` is `claude-code`."""
    known = "-".join((text(name, 256) or "").lower().split())
    return entity("application", _CLIENTS.get(known, known))


def named_in(path: Json, name: Json) -> Entity | None:
    """A server by the file that declares it and its name there, where nothing else is known.

    `/home/ann/.cursor/mcp.json` and `~/.cursor/mcp.json` are one file: people have the like of it.
    """
    where, known = text(path, 384), text(name, 120)
    if known is None or where is None:
        return mcp.server(title=name)
    plain = _HOME.sub("~", where.replace("\\", "/"))
    return entity("mcp_server", f"{plain}#{known}", known)


def alias(server: Entity, path: Json, name: Json) -> tuple[Edge, ...]:
    """That the server is the one which a file declares under that name, where both are known."""
    if not text(path) or not text(name):
        return ()
    other = named_in(path, name)
    if other is None or other.id == server.id:
        return ()
    return (edge(server, "same_as", other, declared=True),)


def tool(server: Entity | None, name: Json) -> Entity | None:
    """A tool of a server, or of none that is known."""
    known = text(name, 128)
    if known is None:
        return None
    return entity("tool", f"{server.id}/{known}" if server else known, known)


def labels(said: Json) -> list[str] | None:
    """The legs of a toxic flow that a tool can be, of labels from 0 to 1; None of none."""
    held = mapping(said)
    known = [
        name.removeprefix("is_")
        for name in _LABELS
        if isinstance(value := held.get(name), int | float) and value >= 0.5
    ]
    return sorted(known) or None


def _started(said: Mapping[str, Json]) -> tuple[Json, list[Json]]:
    """What starts a server, and its words: a text, a list, or `{"path": ..., "args": ...}`."""
    command, args = said.get("command"), listing(said.get("args"))
    inner, words = mapping(command), listing(command)
    if inner:
        return inner.get("path"), listing(inner.get("args")) or args
    return (words[0], [*words[1:], *args]) if words else (command, args)


def _secret(
    url: Json, command: Json, args: list[Json], env: Mapping[str, Json], headers: Mapping[str, Json]
) -> bool:
    words = (
        url,
        command,
        *args[:_MOST],
        *list(env.values())[:_MOST],
        *list(headers.values())[:_MOST],
    )
    return any(secret(word) for word in words if isinstance(word, str))
