"""agent-bom: which agents use which MCP servers, with which tools, packages and vulnerabilities.

Read are scan documents in JSON of `ai_bom_version` 0.1 and later. Each agent, each server and each
vulnerability of a package of a server is a record; the server's own record is a scan, which closes
what is no longer found there, unless vulnerabilities were not looked for. What is no server
(images, files, the project itself) has its packages as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

import msgspec

from schemas.config import Limits
from schemas.detection import Logsource
from schemas.entity import Entity, image
from schemas.event import Event, EventEvidence, Status
from schemas.times import DAY
from streams.records.clocks import told
from streams.records.untrusted import (
    MOST,
    decode,
    edge,
    entity,
    listing,
    mapping,
    number,
    slices,
    text,
)
from streams.reports import scans, servers
from streams.reports.listed import Listing, listed
from streams.reports.scans import Found, Scan, finding, level, scanned
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "agent_bom"
TITLE: Final = "agent-bom scan document"
LOGSOURCE: Final = Logsource(product="agent_bom")
LATENESS: Final = DAY  # a document comes when its pipeline has ended
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset({"scan_activity", "software_inventory_info", "vulnerability_finding"})
ATTRIBUTES: Final = (
    scans.ATTRIBUTES
    | servers.ATTRIBUTES
    | frozenset({"agent.type", "mcp.blocked", "mcp.packages", "mcp.registered", "mcp.warnings"})
    | {"vulnerability.kev_due_date", "vulnerability.vex"}
)
VERSIONS: Final = "agent-bom 0.1 to 0.110 (report schema 1.0)"
GAPS: Final = (
    "Suppressions stand in `blast_radius` only and are not read; VEX status of a package is.",
    "Findings on prompts, skills and browser extensions are not read, only those of packages.",
    "Tools come without schemas: no manifest hash.",
)

# Types of agents that are no application which a person installs: the agent is known by its name.
_OWN: Final = frozenset({"", "agent", "custom", "unknown"})
_PROJECT: Final = "project:"
# Surfaces that are ways to look at a project, and no thing of their own.
_FOUND_IN: Final = frozenset({"ai-inventory", "os-packages", "other", "sast"})
_CLOSED: Final = frozenset({"fixed", "not_affected"})
Part = Literal["agent", "server", "vulnerability"]


class _Package(msgspec.Struct):
    name: str = ""
    version: str | None = None
    purl: str | None = None
    vulnerabilities: list[msgspec.Raw] | None = None


class _Server(msgspec.Struct):
    name: str | None = None
    surface: str | None = None
    packages: list[_Package] | None = None


class _Agent(msgspec.Struct):
    name: str
    kind: str | None = msgspec.field(default=None, name="agent_type")
    type: str | None = None
    config_path: str | None = None
    servers: list[msgspec.Raw] | None = msgspec.field(default=None, name="mcp_servers")


class _Report(msgspec.Struct):
    version: str = msgspec.field(name="ai_bom_version")
    agents: list[msgspec.Raw]
    time: str | None = msgspec.field(default=None, name="generated_at")
    scan: str | None = msgspec.field(default=None, name="scan_id")
    run: Json = msgspec.field(default=None, name="scan_run")


_REPORT: Final = msgspec.json.Decoder(_Report)
_AGENT: Final = msgspec.json.Decoder(_Agent)
_LIMITS: Final = Limits()
_SERVER: Final = msgspec.json.Decoder(_Server)


class Context(NamedTuple):
    """Where a record stands: whose server, of which surface, and which package is vulnerable."""

    part: Part
    time: int
    agent: Entity
    config: str | None = None
    asset: Entity | None = None
    package: _Package = _Package()
    found: int = 0
    failed: bool = False


def sniff(head: bytes) -> bool:
    """A document names its version, and then its agents."""
    return b'"ai_bom_version"' in head and (
        b'"agents"' in head or b'"document_type"' in head or b'"scan_id"' in head
    )


def split(document: bytes) -> Iterator[Raw]:
    """Of each agent: itself, then of its servers the vulnerabilities and the server."""
    report = slices(document, _REPORT)
    time = told(report.time)
    agents = [(bytes(one), slices(bytes(one), _AGENT)) for one in report.agents]
    failed = _failed(report.run)
    return (raw for data, agent in agents for raw in _raws(data, agent, time, failed=failed))


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """An agent, a server with its scan, or a vulnerability."""
    context, said = raw.context, mapping(record)
    if not isinstance(context, Context) or not said:
        raise Unreadable("wrong-shape", "a server is an object inside an agent")
    if context.part == "agent":
        return Parsed(_agent(context, said, evidence), {})
    if context.part == "vulnerability":
        return Parsed(_vulnerability(context, said, evidence), {})
    return Parsed(_server(context, said, evidence), {})


def _raws(data: bytes, agent: _Agent, time: int, *, failed: bool) -> Iterator[Raw]:
    kind = (agent.kind or agent.type or "").lower()
    known = entity("agent", agent.name) if kind in _OWN else servers.client(kind)
    project = agent.name.removeprefix(_PROJECT)
    if project != agent.name:  # a folder that was scanned, and no agent
        known = entity("application", project)
    if known is None:
        raise Unreadable("wrong-shape", "an agent has a name")
    context = Context("agent", time, known, agent.config_path or None, failed=failed)
    yield Raw(data, context)
    for one in agent.servers or ():
        slice_ = bytes(one)
        try:
            server = slices(slice_, _SERVER)
            asset = _asset(server, mapping(decode(slice_, _LIMITS)), project)
        except Unreadable:  # it is a record all the same, and will be rejected as one
            yield Raw(slice_, context._replace(part="server"))
            continue
        at = context._replace(part="vulnerability", asset=asset)
        found = 0
        for package in server.packages or ():
            for flaw in package.vulnerabilities or ():
                found += 1
                yield Raw(bytes(flaw), at._replace(package=package))
        yield Raw(slice_, at._replace(part="server", found=found))


def _asset(server: _Server, said: dict[str, Json], project: str) -> Entity | None:
    """The server; an image or a repository where packages of no server are listed.

    There `command` is a word of the scanner's own: `project`, `github-actions`.
    """
    surface = (server.surface or "mcp").lower()
    if "mcp" in surface:
        declared = servers.declared(server.name, said)
        return declared.entity if declared else None
    if "image" in surface or "container" in surface:
        return image(server.name) if server.name else None
    return entity("repo", project if surface in _FOUND_IN else server.name)


def _failed(run: Json) -> bool:
    """True if the run did not look for vulnerabilities, or not in all packages."""
    told = mapping(run)
    stages = [text(mapping(one).get("stage")) for one in listing(told.get("issues"))]
    return text(told.get("outcome")) not in {None, "complete"} or "scanning" in stages


def _agent(context: Context, said: dict[str, Json], evidence: EventEvidence) -> Event:
    kept = {
        "agent.type": text(said.get("agent_type") or said.get("type"), 64),
        "mcp.config": text(context.config, 384),
    }
    name = context.agent.id
    message = f"{context.agent.kind} {name} is configured"
    about = Listing(NAME, context.time, (context.config,))
    return listed(about, (context.agent,), evidence, message, attributes=kept)


def _server(context: Context, said: dict[str, Json], evidence: EventEvidence) -> Event:
    asset, agent = context.asset, context.agent
    if asset is None:
        raise Unreadable("wrong-shape", "a server has a name, a `command` or a `url`")
    declared = servers.declared(said.get("name"), said)
    ties = [edge(agent, "uses", asset, declared=True)]
    tools: tuple[Entity | None, ...] = ()
    kept: dict[str, Json] = {}
    if declared is not None and asset.kind == "mcp_server":
        kept = declared.attributes | _said(said)
        tools = tuple(
            servers.tool(asset, mapping(one).get("name"))
            for one in listing(said.get("tools"))[:MOST]
        )
        ties += [edge(tool, "served_by", asset, declared=True) for tool in tools if tool]
        ties += servers.alias(asset, said.get("config_path") or context.config, said.get("name"))
    kept["mcp.packages"] = len(listing(said.get("packages")))
    scan = Scan(NAME, "agent-bom", asset, context.time)
    others = (agent, *tools)
    status: Status = "failure" if context.failed else "success"
    return scanned(
        scan, context.found, evidence, status=status, others=others, edges=tuple(ties), **kept
    )


def _said(said: dict[str, Json]) -> dict[str, Json]:
    """What the scanner knows of a server besides its configuration."""
    names = [name for one in listing(said.get("credential_env_vars")) if (name := text(one, 128))]
    kept: dict[str, Json] = {
        "mcp.blocked": True if said.get("security_blocked") is True else None,
        "mcp.registered": True if said.get("registry_verified") is True else None,
        "mcp.warnings": len(listing(said.get("security_warnings"))) or None,
    }
    if names:
        kept["mcp.env"] = sorted(names)
    return {name: value for name, value in kept.items() if value is not None}


def _vulnerability(context: Context, said: dict[str, Json], evidence: EventEvidence) -> Event:
    of, package = text(said.get("id"), 256), context.package
    if of is None or context.asset is None:
        raise Unreadable("wrong-shape", "a vulnerability has an `id`, and its server a name")
    aliases = [one for alias in listing(said.get("aliases")) if (one := text(alias, 128))]
    score = number(said.get("cvss_score"))
    found = Found(
        sort="vulnerability",
        of=of,
        title=f"{of} in {package.name} {package.version or ''}".rstrip(),
        severity=level(said.get("severity"), score),
        package=text(package.name, 256),
        closed=text(said.get("vex_status")) in _CLOSED,
        attributes={
            "package.version": text(package.version, 256),
            "package.fixed_version": text(said.get("fixed_version"), 256),
            "package.purl": text(package.purl, 512),
            "vulnerability.aliases": sorted(aliases) or None,
            "vulnerability.cvss": score,
            "vulnerability.epss": number(said.get("epss_score")),
            "vulnerability.kev": True if said.get("is_kev") is True else None,
            "vulnerability.kev_due_date": text(said.get("kev_due_date"), 32),
            "vulnerability.vex": text(said.get("vex_status"), 32),
        },
    )
    scan = Scan(NAME, "agent-bom", context.asset, context.time)
    return finding(scan, found, evidence, others=(context.agent,))
