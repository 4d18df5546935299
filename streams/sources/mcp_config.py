"""MCP client configuration: which MCP servers an application may start or call.

Read are `mcpServers` (Claude, Cursor, Windsurf, Gemini and most others, also inside `projects` of
`.claude.json`), `servers` and `mcp.servers` (VS Code, with comments), `mcp` (opencode),
`context_servers` (Zed), and `server.json` of the MCP registry. Nothing of them is dated. Values of
variables and headers are not kept, only their names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import msgspec

from schemas.detection import Logsource
from schemas.event import EventEvidence
from schemas.times import DAY
from streams.names import mcp
from streams.records.jsonc import plain
from streams.records.untrusted import edge, entity, listing, mapping, slices, text
from streams.reports import servers
from streams.reports.listed import Listing, listed
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "mcp_config"
TITLE: Final = "MCP client configuration"
LOGSOURCE: Final = Logsource(product="mcp_config")
LATENESS: Final = DAY
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset({"software_inventory_info"})
ATTRIBUTES: Final = servers.ATTRIBUTES | {"package.purl", "package.version", "time.unknown"}
VERSIONS: Final = "files of 2024-11 to 2026-08; registry schema 2025-07 to 2025-12"
GAPS: Final = (
    "Whose a file is, its name or its shape tells; of others only the servers are known.",
    "TOML (Codex) and YAML (Goose, Continue, Docker catalogue) are not read.",
)

_LEVELS: Final = 4  # projects, then their servers
_START: Final = re.compile(
    rb'"(?:mcpServers|context_servers)"\s{0,64}:\s{0,64}\{'
    rb'|"mcp"\s{0,64}:\s{0,64}\{\s{0,64}(?:"(?:servers|inputs)"|\}|"[^"]{1,128}"\s{0,64}:\s{0,64}\{'
    rb'\s{0,64}"(?:type|command|url)")'
    rb'|^\s{0,64}\{\s{0,64}"(?:inputs|servers)"\s{0,64}:.{0,4096}?"(?:command|url|type)"\s{0,64}:'
    rb'|^\s{0,64}\{\s{0,64}"\$schema"\s{0,64}:\s{0,64}"[^"]{0,128}modelcontextprotocol[^"]{0,128}server',
    re.DOTALL,
)
_KEYS: Final = (b'"mcp', b'"servers"', b'"inputs"', b'"context_servers"', b'"$schema"')
_OTHERS: Final = (
    *(b'"resourceSpans"', b'"resource_spans"', b'"Records"', b'"eventVersion"'),
    *(b'"scan_results"', b'"runs"'),
)
# What a file is called -> whose it is.
_FILES: Final = (
    ("claude_desktop_config.json", "claude-desktop"),
    (".claude.json", "claude-code"),
    ("/.mcp.json", "claude-code"),
    ("/.cursor/mcp.json", "cursor"),
    ("/.vscode/mcp.json", "vscode"),
    ("/.gemini/settings.json", "gemini-cli"),
    ("/windsurf/mcp_config.json", "windsurf"),
    ("cline_mcp_settings.json", "cline"),
    ("opencode.json", "opencode"),
)
_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Context(NamedTuple):
    """What the file calls a server, and which application has files of that shape."""

    name: str
    client: str | None


def sniff(head: bytes) -> bool:
    """A file that maps names to servers, at the place where a client looks for them."""
    if not any(key in head for key in _KEYS) or any(key in head for key in _OTHERS):
        return False
    return head.lstrip()[:1] in {b"{", b"/"} and _START.search(plain(head)) is not None


def split(document: bytes) -> Iterator[Raw]:
    """The servers, in the order of the file."""
    top = slices(plain(document), _OBJECT)
    if "packages" in top or "remotes" in top:
        return iter((Raw(document, Context("", None)),))
    return _servers(top, _LEVELS)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """One server, used by the application whose configuration this is, where that is known."""
    context, said = raw.context, mapping(record)
    if not isinstance(context, Context) or not said:
        raise Unreadable("wrong-shape", "a server is an object in a configuration")
    server = servers.declared(context.name, said) if context.name else _registered(said)
    if server is None:
        raise Unreadable("wrong-shape", "a server has a name, a `command` or a `url`")
    path = evidence.origin.removeprefix("file:").rpartition("#")[0].replace("\\", "/")
    owner = next((client for name, client in _FILES if f"/{path}".endswith(name)), None)
    application = entity("application", owner or context.client)
    ties = list(servers.alias(server.entity, path, context.name)) if owner else []
    if application is not None:
        ties.append(edge(application, "uses", server.entity, declared=True))
    told = listed(
        Listing(NAME, 0, (context.name, owner or context.client)),
        (server.entity, application),
        evidence,
        f"MCP server {server.entity.id} is configured",
        edges=ties,
        attributes=server.attributes,
    )
    return Parsed(told, {})


def _servers(top: Mapping[str, msgspec.Raw], left: int) -> Iterator[Raw]:
    for key, client in (("mcpServers", None), ("servers", "vscode"), ("context_servers", "zed")):
        yield from _named(top.get(key), client)
    held = _object(top.get("mcp"))
    if "servers" in held:
        yield from _named(held["servers"], "vscode")
    elif held and "inputs" not in held:
        yield from _named(top.get("mcp"), "opencode")
    for project in _object(top.get("projects")).values() if left else ():
        yield from _servers(_object(project), left - 1)


def _named(held: msgspec.Raw | None, client: str | None) -> Iterator[Raw]:
    for name, said in _object(held).items():
        yield Raw(bytes(said), Context(name, client))


def _object(held: msgspec.Raw | None) -> dict[str, msgspec.Raw]:
    data = bytes(held or b"")
    return slices(data, _OBJECT) if data.startswith(b"{") else {}


def _registered(said: Mapping[str, Json]) -> servers.Server | None:
    """A server of the registry: where it listens, else the first package that starts it."""
    url = next((mapping(one).get("url") for one in listing(said.get("remotes"))), None)
    package = mapping(next(iter(listing(said.get("packages"))), None))
    kind = text(package.get("registryType") or package.get("registry_type"), 32)
    name = text(package.get("identifier") or package.get("name"), 256)
    runner = {"npm": "npx", "pypi": "uvx", "oci": "docker"}.get(kind or "")
    found = mcp.server(url=url, command=runner, args=[name], title=said.get("name"))
    if found is None:
        return None
    version = package.get("version") or said.get("version")
    kept: dict[str, Json] = {
        "mcp.server.name": text(said.get("name"), 256),
        "package.version": text(version, 128),
        "package.purl": f"pkg:{kind}/{name}" if kind in {"npm", "pypi"} and name else None,
    }
    return servers.Server(found, {key: value for key, value in kept.items() if value is not None})
