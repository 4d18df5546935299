"""Cisco mcp-scanner: what is wrong with the tools, prompts and resources of an MCP server.

Read are `--format raw` (`scan_results`), `--raw` (a bare list; of known configurations a list for
each file), answers of its API (`results`, `resources`, one of a server's instructions), scans of
an npm or PyPI package, and of vulnerable packages. What one analyzer says of one item is a finding
for each threat that it names; each analyzer is a scanner of its own, for a scan may leave some out.
What the API says of some items only closes nothing. Nothing of them is dated.

`server_url` is where the server listens, or `stdio:` and what starts it. A static scan, of files,
names an address that it never called: there it is no identity, and the tools are all that is known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from schemas.config import Limits
from schemas.detection import Logsource
from schemas.entity import Entity
from schemas.event import EventEvidence, Status
from schemas.times import DAY
from streams.names import mcp
from streams.records.untrusted import MOST, decode, edge, entity, listing, mapping, slices, text
from streams.reports import scans, servers, threats
from streams.reports.listed import Listing, listed
from streams.reports.scans import Scan, finding, scanned
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "mcp_scanner"
TITLE: Final = "Cisco mcp-scanner report"
LOGSOURCE: Final = Logsource(product="mcp_scanner")
LATENESS: Final = DAY
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset(
    {"detection_finding", "scan_activity", "software_inventory_info", "vulnerability_finding"}
)
ATTRIBUTES: Final = scans.ATTRIBUTES | frozenset(
    """
    finding.analyzer finding.technique finding.threat mcp.config mcp.item mcp.server.name
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
VERSIONS: Final = "mcp-scanner 3 and 4 (`mcp_taxonomies` and the `threats` of its API)"
GAPS: Final = (
    "A scan of mcp.deepwiki.com itself cannot be told from a static one: its server stays unnamed.",
    "Output grouped by tool, analyzer or severity is not read; the raw one says the same.",
    "Tools come without their schemas: no manifest hash.",
)

_PLACEHOLDER: Final = "https://mcp.deepwiki.com/mcp"
_ITEMS: Final = ("tool", "prompt", "resource")
_LISTS: Final = ("scan_results", "results", "resources")
_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIMITS: Final = Limits()


class Context(NamedTuple):
    """Whose report this is, and of a finding the item, the analyzer and the threat; else a scan."""

    asset: Entity
    config: str | None = None
    item: tuple[str, str] | None = None  # kind, name
    tool: Entity | None = None
    analyzer: str = ""
    threat: threats.Threat | None = None
    tools: tuple[Entity, ...] = ()
    partial: bool = False
    failed: bool = False
    found: int = 0

    def scan(self) -> Scan:
        """The analyzer that looked at the asset."""
        return Scan(NAME, f"mcp-scanner/{self.analyzer}", self.asset, 0)


def sniff(head: bytes) -> bool:
    """A result says that it is safe, or not, and what each analyzer found; there may be none."""
    if b'"scan_results"' in head and b'"requested_analyzers"' in head:
        return True
    if head.lstrip()[:1] not in {b"{", b"["} or b'"is_safe"' not in head:
        return False
    if b'"findings"' not in head or b'"skill_name"' in head:
        return False
    keys = (b'_analyzer"', b'"tool_name"', b'"item_type"', b'"scan_results"', b'"server_url"')
    return any(key in head for key in keys) or b'"scan_status"' in head


def split(document: bytes) -> Iterator[Raw]:
    """The findings of each server, then its scan."""
    if document.lstrip().startswith(b"["):
        return _reports(document, "", [bytes(one) for one in slices(document, _LIST)])
    top = slices(document, _OBJECT)
    if "is_safe" in top:
        return _alone(document, top)
    held = next((bytes(top[key]) for key in _LISTS if key in top), None)
    if held is not None:
        url = _text(top.get("server_url") or top.get("scan_target"))
        asked = frozenset(_texts(top.get("requested_analyzers")))
        rows = [bytes(one) for one in slices(held, _LIST)]
        return _reports(document, url, rows, asked, partial="scan_results" not in top)
    lists = [(path, slices(bytes(one), _LIST)) for path, one in top.items()]  # known configurations
    return (
        raw
        for path, rows in lists
        for raw in _reports(document, path, [bytes(one) for one in rows])
    )


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """A threat that an analyzer names, or the scan of a server."""
    context = raw.context
    if not isinstance(context, Context):
        raise Unreadable("wrong-shape", "a result is an object that says `is_safe`")
    if context.threat is not None:
        found = threats.found(context.threat, mapping(record), context.analyzer, context.item)
        return Parsed(finding(context.scan(), found, evidence, others=(context.tool,)), {})
    asset, tools = context.asset, context.tools
    ties = tuple(edge(tool, "served_by", asset) for tool in tools if asset.kind == "mcp_server")
    kept: dict[str, Json] = {"mcp.config": context.config}
    if context.partial:
        about, message = Listing(NAME, 0), f"some items of {asset.id} were scanned"
        told = listed(about, (asset, *tools), evidence, message, edges=ties, attributes=kept)
        return Parsed(told, {})
    status: Status = "failure" if context.failed else "success"
    return Parsed(
        scanned(
            context.scan(), context.found, evidence, status=status, others=tools, edges=ties, **kept
        ),
        {},
    )


def _reports(
    document: bytes,
    url: str,
    rows: list[bytes],
    asked: frozenset[str] = frozenset(),
    *,
    partial: bool = False,
) -> Iterator[Raw]:
    """The results by the server that they are about, in the order in which servers appear."""
    groups: dict[str, tuple[Context, list[tuple[bytes, dict[str, Json]]]]] = {}
    for row in rows:
        said = _read(row)
        about = _about(url, said)
        if about is None:
            yield Raw(row)
            continue
        groups.setdefault(about.asset.key, (about, []))[1].append((row, said))
    for about, held in groups.values():
        yield from _of_server(document, about._replace(partial=partial), held, asked)


def _of_server(
    document: bytes,
    about: Context,
    held: list[tuple[bytes, dict[str, Json]]],
    asked: frozenset[str],
) -> Iterator[Raw]:
    found = Counter[str](dict.fromkeys(asked, 0))
    tools = dict[str, Entity]()
    for row, said in held:
        item, tool = _item(said), None
        if item is not None and item[0] == "tool":
            server = about.asset if about.asset.kind == "mcp_server" else None
            tool = servers.tool(server, item[1])
        if tool is not None:
            tools[tool.id] = tool
        found.update(
            {key.removesuffix("_analyzer")[:64]: 0 for key in mapping(said.get("findings"))}
        )
        for raw in _threats(row, about._replace(item=item, tool=tool)):
            found[raw.context.analyzer] += 1
            yield raw
    failed = any(text(said.get("status")) not in {None, "completed", "skipped"} for _, said in held)
    about = about._replace(tools=tuple(tools.values())[:MOST], failed=failed)
    if about.partial:
        yield Raw(document, about)
        return
    for analyzer, count in sorted(found.items()) or [("all", 0)]:
        yield Raw(document, about._replace(analyzer=analyzer, found=count))


def _alone(document: bytes, top: dict[str, msgspec.Raw]) -> Iterator[Raw]:
    """One result by itself: of a server's instructions, or of a package."""
    said = _read(document)
    package, kind = text(said.get("package"), 256), text(said.get("ecosystem"), 16) or "pypi"
    if package is None:
        return _reports(document, _text(top.get("server_url")), [document], partial=True)
    runner = "npx" if kind == "npm" else "uvx"
    server = mcp.server(command=runner, args=[package])
    if server is None:
        return iter((Raw(document),))
    failed = text(said.get("scan_status")) != "completed"
    about = Context(server, analyzer="behavioral", failed=failed)
    rows = [bytes(one) for one in slices(bytes(top.get("findings", b"[]")), _LIST)]
    told = [Raw(row, about._replace(threat=threats.behavior(_read(row)))) for row in rows]
    return iter((*told, Raw(document, about._replace(found=len(told)))))


def _about(url: str, said: dict[str, Json]) -> Context | None:
    """Which server a result is about; else the repository, or the tool by itself."""
    if not said or "is_safe" not in said:
        return None
    name, source = said.get("server_name"), text(said.get("server_source"), 384)
    known: Entity | None = None
    if "package_name" in said:
        known = entity("repo", url.removeprefix("vulnerable-package:"))
    elif source is not None:
        known = servers.named_in(source, name)
    elif url.startswith("stdio:"):
        known = mcp.server(command=url.removeprefix("stdio:"), title=name)
    elif "://" in url and url.rstrip("/") != _PLACEHOLDER:
        known = mcp.server(url=url, title=name)
    item = _item(said)
    known = known or mcp.server(title=name) or (servers.tool(None, item[1]) if item else None)
    return None if known is None else Context(known, source)


def _item(said: dict[str, Json]) -> tuple[str, str] | None:
    for kind in _ITEMS:
        name = text(said.get(f"{kind}_name") or said.get(f"{kind}_uri"), 256)
        if name is not None:
            return kind, name
    return None


def _threats(row: bytes, about: Context) -> Iterator[Raw]:
    top = slices(row, _OBJECT)
    held = bytes(top.get("findings", b"{}"))
    for key, slice_ in (slices(held, _OBJECT) if held.startswith(b"{") else {}).items():
        said = _read(bytes(slice_))
        analyzer = key.removesuffix("_analyzer")[:64]
        for threat in threats.named(analyzer, said):
            yield Raw(bytes(slice_), about._replace(analyzer=analyzer, threat=threat))


def _read(data: bytes) -> dict[str, Json]:
    try:
        return mapping(decode(data, _LIMITS))
    except Unreadable:  # it is a record all the same, and will be rejected as one
        return {}


def _texts(held: msgspec.Raw | None) -> list[str]:
    try:
        named = listing(decode(bytes(held or b"[]"), _LIMITS))
    except Unreadable:
        return []
    return [known for one in named if (known := text(one, 64))]


def _text(held: msgspec.Raw | None) -> str:
    if held is None:
        return ""
    try:
        return text(decode(bytes(held), _LIMITS)) or ""
    except Unreadable:
        return ""
