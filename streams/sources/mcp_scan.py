"""Invariant / Snyk mcp-scan: which MCP servers clients have, what they offer, what is wrong there.

Read is what `--json` prints, of versions with `signature` and of older ones with `tools` beside the
server, what is uploaded (`scan_path_results`), and one path alone. A server is a tools/list and a
scan, its tools are records, so are issues; a server that did not answer failed to be scanned. The
report does not say when.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Literal, NamedTuple

import msgspec

from schemas.config import Limits
from schemas.detection import Logsource
from schemas.entity import Entity
from schemas.event import Edge, Event, EventEvidence, Level
from schemas.times import DAY
from streams.records.untrusted import MOST, decode, edge, entity, listing, mapping, slices, text
from streams.reports import scans, servers
from streams.reports.listed import CALL, Listing, listed
from streams.reports.scans import Found, Scan, finding, level, scanned
from streams.reports.signature import Signature, reference, signature
from streams.source import Json, Narrow, Parsed, Raw, Unreadable
from streams.telemetry.manifests import offered

NAME: Final = "mcp_scan"
TITLE: Final = "mcp-scan report"
LOGSOURCE: Final = Logsource(product="mcp_scan")
LATENESS: Final = DAY
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset(
    {"api_activity", "detection_finding", "scan_activity", "software_inventory_info"}
)
ATTRIBUTES: Final = (
    scans.ATTRIBUTES
    | servers.ATTRIBUTES
    | {"mcp.method.name", "tool.destructive_hint", "tool.labels"}
)
VERSIONS: Final = (
    "mcp-scan 0.1 to 0.4 (`tools` and `result` beside a server, then `signature`); Snyk agent-scan "
    "in the same form as documented"
)
GAPS: Final = (
    (
        "What agent-scan answers in the form of 2026-07 (`scan_path_responses`, `risk_indexes`) is "
        "not read."
    ),
    "A label that a later report does not repeat stays: reports have no time.",
    "Prompts and resources of a server are not listed, only its tools.",
    "A toxic flow is a finding on the client; which tools it goes through stays in the report.",
)

# What the first letters of a code mean; X codes say that the analysis itself failed.
_LEVELS: Final[tuple[tuple[str, Level], ...]] = (("E", "high"), ("TF", "high"), ("W", "medium"))
Part = Literal["manifest", "tool", "issue", "server", "path"]


class _Path(msgspec.Struct):
    path: str
    client: str | None = None
    servers: list[msgspec.Raw] | None = None
    issues: list[msgspec.Raw] | None = None
    labels: list[list[msgspec.Raw]] | None = None
    error: msgspec.Raw = msgspec.Raw(b"null")


class _User(msgspec.Struct):
    hostname: str | None = None


class _Upload(msgspec.Struct):
    results: list[msgspec.Raw] = msgspec.field(name="scan_path_results")
    user: _User | None = msgspec.field(default=None, name="scan_user_info")


_PATHS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_UPLOAD: Final = msgspec.json.Decoder(_Upload)
_PATH: Final = msgspec.json.Decoder(_Path)
_LIMITS: Final = Limits()


class Context(NamedTuple):
    """Where a record stands: its client, its server, and of a tool what the analysis calls it."""

    part: Part
    path: str
    client: Entity | None
    host: Entity | None
    server: servers.Server | None = None
    tools: tuple[Entity, ...] = ()
    label: msgspec.Raw | None = None
    failed: bool = False
    found: int = 0

    def asset(self) -> Entity:
        """What was scanned: the server, or of a path its client."""
        asset = self.server.entity if self.server else self.client
        asset = asset or entity("application", self.path)
        if asset is None:
            raise Unreadable("wrong-shape", "a result names its path")
        return asset


def sniff(head: bytes) -> bool:
    """A result has a path and servers, each with its `server` beside its name."""
    if b'"servers"' not in head or b'"path"' not in head or b'"ai_bom_version"' in head:
        return False
    return b'"labels"' in head or b'"issues"' in head or b'"signature"' in head


def split(document: bytes) -> Iterator[Raw]:
    """Of each path the servers with their tools and issues, then the path itself."""
    top = slices(document, _PATHS)
    host: Entity | None = None
    if "scan_path_results" in top:
        upload = slices(document, _UPLOAD)
        paths = upload.results
        host = entity("host", ((upload.user or _User()).hostname or "").lower())
    else:
        paths = [msgspec.Raw(document)] if "servers" in top else list(top.values())
    results = [(slices(bytes(one), _PATH), bytes(one)) for one in paths]
    return (raw for result, data in results for raw in _Reading(result, data, host).raws())


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """A server's list of tools, a tool, an issue, or the scan of a server or client."""
    context = raw.context
    if not isinstance(context, Context):
        raise Unreadable("wrong-shape", "a result is inside a report")
    told = _READERS[context.part](context, record, evidence)
    return Parsed(told, {})


class _Reading:
    """One path of a report: its client, and its servers as far as they can be read."""

    def __init__(self, result: _Path, data: bytes, host: Entity | None) -> None:
        self._result, self._data, self._host = result, data, host
        self._client = servers.client(result.client)
        self._servers = [signature(bytes(one)) for one in result.servers or ()]

    def raws(self) -> Iterator[Raw]:
        issues = [(bytes(one), reference(bytes(one))) for one in self._result.issues or ()]
        for place, (slice_, held) in enumerate(
            zip(self._result.servers or (), self._servers, strict=True)
        ):
            own = [(data, at) for data, at in issues if at and at[0] == place]
            yield from self._of_server(bytes(slice_), held, place, own)
        whole = self._context("path")
        rest = [data for data, at in issues if not at or at[0] not in range(len(self._servers))]
        for data in rest:
            yield Raw(data, whole._replace(part="issue"))
        if self._client is not None or rest or not self._servers:
            failed = bytes(self._result.error) != b"null"
            yield Raw(self._data, whole._replace(failed=failed, found=len(rest)))

    def _of_server(
        self, data: bytes, held: Signature, place: int, issues: list[tuple[bytes, list[int | None]]]
    ) -> Iterator[Raw]:
        if held.server is None:
            yield Raw(data, self._context("server"))
            return
        at = self._context("server", held.server)
        if held.tools:
            tools = tuple(filter(None, held.named[:MOST]))
            yield Raw(held.listing, at._replace(part="manifest", tools=tools))
        labels = self._result.labels or []
        known = labels[place] if place < len(labels) else []
        for n, slice_ in enumerate(held.tools, held.before):
            label = known[n] if n < len(known) else None
            yield Raw(slice_, at._replace(part="tool", tools=held.at(n), label=label))
        for data_, (_, *entity_) in issues:
            tools = held.at(entity_[0] if entity_ else None)
            yield Raw(data_, at._replace(part="issue", tools=tools))
        yield Raw(data, at._replace(failed=held.failed, found=len(issues)))

    def _context(self, part: Part, server: servers.Server | None = None) -> Context:
        return Context(part, self._result.path, self._client, self._host, server)


def _manifest(context: Context, record: Json, evidence: EventEvidence) -> Event:
    asset, server = context.asset(), context.server
    named = server.attributes.get("mcp.server.name") if server else None
    return listed(
        Listing(NAME, 0, (context.path,)),
        (asset, *context.tools, context.client),
        evidence,
        f"{asset.id} offers {len(listing(record))} tools",
        attributes=offered(record)
        | {"mcp.method.name": "tools/list", "mcp.server.name": named, "scan.tool": "mcp-scan"},
        kind=CALL,
        activity="tools/list",
    )


def _tool(context: Context, record: Json, evidence: EventEvidence) -> Event:
    if not context.tools:
        raise Unreadable("wrong-shape", "a tool has a name")
    (tool,), asset = context.tools, context.asset()
    label = None if context.label is None else decode(bytes(context.label), _LIMITS)
    hints = mapping(mapping(record).get("annotations"))
    kept: dict[str, Json] = {
        "tool.labels": servers.labels(label),
        "tool.destructive_hint": True if hints.get("destructiveHint") is True else None,
    }
    ties = [edge(tool, "served_by", asset, declared=True)]
    about = Listing(NAME, 0, (context.path,))
    message = f"tool {tool.id}"
    return listed(about, (tool, asset), evidence, message, edges=ties, attributes=kept)


def _issue(context: Context, record: Json, evidence: EventEvidence) -> Event:
    said = mapping(record)
    code = text(said.get("code"), 32)
    if code is None:
        raise Unreadable("wrong-shape", "an issue has a `code`")
    severity = text(mapping(said.get("extra_data")).get("severity"), 32)
    found = Found(
        sort="detection",
        of=code,
        title=text(said.get("message"), 512) or code,
        severity=level(severity) if severity else _level(code),
        place=context.tools[0].name if context.tools else None,
        attributes={"check.id": code},
    )
    scan = Scan(NAME, "mcp-scan", context.asset(), 0)
    return finding(scan, found, evidence, others=(*context.tools, context.client))


def _level(code: str) -> Level:
    for start, word in _LEVELS:
        if code.startswith(start):
            return word
    return "informational"


def _scan(context: Context, record: Json, evidence: EventEvidence) -> Event:  # noqa: ARG001
    asset, ties = context.asset(), list[Edge]()
    kept: dict[str, Json] = {"mcp.config": context.path[:384]}
    client, server = context.client, context.server
    if server is not None:
        kept |= server.attributes
        ties += servers.alias(asset, context.path, server.attributes.get("mcp.server.name"))
        if client is not None:
            ties.append(edge(client, "uses", asset, declared=True))
    elif context.part == "server":
        raise Unreadable("wrong-shape", "a server has a name, a `command` or a `url`")
    if context.host is not None and client is not None:
        ties.append(edge(context.host, "hosts", client))
    return scanned(
        Scan(NAME, "mcp-scan", asset, 0),
        context.found,
        evidence,
        status="failure" if context.failed else "success",
        others=(client, context.host),
        edges=tuple(ties),
        **kept,
    )


_READERS: Final[dict[Part, Callable[[Context, Json, EventEvidence], Event]]] = {
    "manifest": _manifest,
    "tool": _tool,
    "issue": _issue,
    "server": _scan,
    "path": _scan,
}
