"""Cisco AI BOM: the models, agents, tools, data and secrets that code or an image has in it.

Read are JSON reports of 1.0.0 (release candidates too) with `aibom_analysis`. Each component, each
vulnerability of a dependency and each relationship is a record; each source ends with its scan.
Names are those of the code: an agent, tool or store is known within its source only, a model and
what is in a bucket everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

import msgspec

from schemas.config import Limits
from schemas.detection import Logsource
from schemas.entity import MAX_ID, Entity, Kind, image
from schemas.event import Edge, Event, EventEvidence, Status
from schemas.times import DAY
from streams.names import aws, models
from streams.records.clocks import told
from streams.records.untrusted import decode, edge, entity, mapping, number, slices, text
from streams.reports import scans, servers
from streams.reports.listed import Listing, listed
from streams.reports.scans import Found, Scan, finding, level, scanned
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "ai_bom"
TITLE: Final = "Cisco AI BOM"
LOGSOURCE: Final = Logsource(product="ai_bom")
LATENESS: Final = DAY  # an analysis takes long, and says when it ended
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset({"scan_activity", "software_inventory_info", "vulnerability_finding"})
ATTRIBUTES: Final = scans.ATTRIBUTES | frozenset(
    """
    component.confidence component.detected component.framework component.place component.type
    mcp.transport model.provider secret.name
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
VERSIONS: Final = "analyzer 1.0.0rc4, report schema 2"
GAPS: Final = (
    "A component that the analysis itself calls unlikely is listed with its confidence.",
    "Prompts and other kinds that are no entity of ours are listed as parts of their source.",
)

_KINDS: Final[dict[str, Kind]] = {
    "agent": "agent",
    "guardrail": "guardrail",
    "memory": "datastore",
    "tool": "tool",
    "vector_store": "datastore",
    "vectorstore": "datastore",
}
_RELATIONS: Final = {
    "USES_EMBEDDING": "calls",
    "USES_LLM": "calls",
    "USES_MODEL": "calls",
    "USES_RETRIEVER": "retrieves",
    "USES_VECTOR_STORE": "retrieves",
    "TRAINED_ON": "trained_on",
}  # everything else is `uses`
Part = Literal["component", "vulnerability", "relationship", "source"]


class _Meta(msgspec.Struct):
    vulnerabilities: list[msgspec.Raw] | None = None


class _Component(msgspec.Struct):
    name: str | None = None
    version: str | None = msgspec.field(default=None, name="sdk_version")
    metadata: _Meta | None = None


class _Source(msgspec.Struct):
    source_name: str | None = None
    components: dict[str, list[msgspec.Raw]] | None = None
    relationships: list[msgspec.Raw] | None = None
    summary: msgspec.Raw = msgspec.Raw(b"{}")


class _About(msgspec.Struct):
    completed_at: str | None = None
    started_at: str | None = None
    run_id: str | None = None


class _Analysis(msgspec.Struct):
    sources: dict[str, msgspec.Raw]
    metadata: _About | None = None


class _Report(msgspec.Struct):
    analysis: _Analysis = msgspec.field(name="aibom_analysis")


_REPORT: Final = msgspec.json.Decoder(_Report)
_SOURCE: Final = msgspec.json.Decoder(_Source)
_LIMITS: Final = Limits()
_COMPONENT: Final = msgspec.json.Decoder(_Component)


class Context(NamedTuple):
    """The source that was analysed; of a vulnerability the dependency that has it."""

    part: Part
    scan: Scan
    component: _Component = _Component()
    failed: bool = False
    found: int = 0


def sniff(head: bytes) -> bool:
    """A report names itself."""
    return (b'"aibom_analysis"' in head and b'"sources"' in head) or (
        b'"aibom_analysis"' in head and b'"analyzer_version"' in head
    )


def split(document: bytes) -> Iterator[Raw]:
    """Of each source its components, their vulnerabilities, relationships, then the source."""
    analysis = slices(document, _REPORT).analysis
    about = analysis.metadata or _About()
    time = told(about.completed_at or about.started_at)
    held = [
        (name, bytes(one), slices(bytes(one), _SOURCE)) for name, one in analysis.sources.items()
    ]
    return (raw for name, data, source in held for raw in _raws(name, data, source, time))


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """A component, a vulnerability, a relationship, or the scan of a source."""
    context, said = raw.context, mapping(record)
    if not isinstance(context, Context) or not said:
        raise Unreadable("wrong-shape", "a component is an object inside a source")
    match context.part:
        case "component":
            told_ = _component(context.scan, said, evidence)
        case "vulnerability":
            told_ = _vulnerability(context, said, evidence)
        case "relationship":
            told_ = _relationship(context.scan, said, evidence)
        case "source":
            status: Status = "failure" if context.failed else "success"
            told_ = scanned(context.scan, context.found, evidence, status=status)
    return Parsed(told_, {})


def _raws(name: str, data: bytes, source: _Source, time: int) -> Iterator[Raw]:
    named = source.source_name or name
    summary = mapping(decode(bytes(source.summary), _LIMITS))
    container = summary.get("source_kind") == "container" or "@sha256:" in named
    asset = image(named) if container and named else entity("repo", named)
    if asset is None:
        raise Unreadable("wrong-shape", "a source has a name")
    scan = Scan(NAME, "aibom", asset, time)
    found = 0
    for components in (source.components or {}).values():
        for one in components:
            yield Raw(bytes(one), Context("component", scan))
            component = _read(bytes(one))
            flaws = (component.metadata or _Meta()).vulnerabilities or ()
            found += len(flaws)
            yield from (Raw(bytes(o), Context("vulnerability", scan, component)) for o in flaws)
    for one in source.relationships or ():
        yield Raw(bytes(one), Context("relationship", scan))
    failed = text(summary.get("status")) not in {None, "completed"}
    yield Raw(data, Context("source", scan, failed=failed, found=found))


def _read(data: bytes) -> _Component:
    try:
        return slices(data, _COMPONENT)
    except Unreadable:  # it is a record all the same
        return _Component()


def _component(scan: Scan, said: dict[str, Json], evidence: EventEvidence) -> Event:
    kind, name = text(said.get("component_type"), 64), text(said.get("name"), 256)
    if kind is None or name is None:
        raise Unreadable("wrong-shape", "a component has a `name` and a `component_type`")
    thing = _thing(scan.asset, kind, name, said)
    sure = number(said.get("confidence"))
    confidence = sure if sure is not None and 0 <= sure <= 1 else None
    place = (text(said.get("file_path"), 512), text(said.get("line_number"), 16))
    about = mapping(said.get("metadata"))
    kept: dict[str, Json] = {
        "component.type": kind,
        "component.framework": text(said.get("framework"), 64),
        "component.detected": text(said.get("detection_source"), 64),
        "component.confidence": confidence,
        "component.place": ":".join(filter(None, place)),
        "mcp.transport": text(said.get("transport"), 32),
        "model.provider": text(about.get("model_provider"), 64),
        "package.name": name if kind == "dependency" else None,
        "package.version": text(said.get("sdk_version"), 128) if kind == "dependency" else None,
        "secret.name": text(about.get("env_var"), 128) or (name if kind == "secret" else None),
    }
    ties: list[Edge] = []
    if thing is not None:
        ties.append(edge(scan.asset, "uses", thing, declared=True, confidence=confidence))
        for key in ("model_name", "embedding_model"):
            model = _model(said.get(key))
            if model is not None and thing.kind == "agent":
                tie = edge(thing, "calls", model, declared=True, confidence=confidence)
                ties.append(tie)
    about_ = Listing(NAME, scan.time, (scan.asset.key,))
    things = (thing, scan.asset)
    return listed(about_, things, evidence, f"{kind} {name}", edges=ties, attributes=kept)


def _thing(asset: Entity, kind: str, name: str, said: dict[str, Json]) -> Entity | None:
    """What a component is; None of what is only a part of its source."""
    where = _base(asset)
    match kind:
        case "model" | "embedding" | "llm":
            return _model(text(said.get("model_name")) or name)
        case "dataset":
            stored = text(said.get("storage_uri"))
            return models.dataset(stored or f"{where}/{name}", name)
        case "skill":
            return entity("skill", name)
        case "mcp_server":
            return servers.named_in(where, name)
        case _:
            known = _KINDS.get(kind)
            return entity(known, f"{where}/{name}"[:MAX_ID], name) if known else None


def _model(name: Json) -> Entity | None:
    known = models.hub(name)
    return models.model(name) if known else aws.model(name)


def _base(asset: Entity) -> str:
    """A source without its digest and tag: the next build of it has the same agents."""
    head, slash, last = (asset.name or asset.id).partition("@")[0].rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def _relationship(scan: Scan, said: dict[str, Json], evidence: EventEvidence) -> Event:
    ends = [
        _thing(scan.asset, text(said.get(f"{end}_type"), 64) or "", name, {})
        for end in ("source", "target")
        if (name := text(said.get(f"{end}_name"), 256))
    ]
    kind = text(said.get("relationship_type"), 64) or text(said.get("label"), 64) or ""
    if len(ends) < 2 or ends[0] is None or ends[1] is None or ends[0] == ends[1]:
        raise Unreadable("wrong-shape", "a relationship joins two components that are entities")
    first, second = ends[0], ends[1]
    relation = _RELATIONS.get(kind.upper(), "uses")
    ties = (edge(first, relation, second, declared=True),)
    message = f"{first.id} {relation} {second.id}"
    about = Listing(NAME, scan.time, (scan.asset.key,))
    return listed(about, (first, second, scan.asset), evidence, message, edges=ties)


def _vulnerability(context: Context, said: dict[str, Json], evidence: EventEvidence) -> Event:
    of = text(said.get("id"), 256)
    if of is None:
        raise Unreadable("wrong-shape", "a vulnerability has an `id`")
    component = context.component
    package = text(said.get("affected_package"), 256) or text(component.name, 256)
    version = text(said.get("affected_version"), 128) or text(component.version, 128)
    score = number(said.get("cvss_score"))
    found = Found(
        sort="vulnerability",
        of=of,
        title=f"{of} in {package} {version}",
        severity=level(said.get("severity"), score),
        package=package,
        attributes={
            "package.version": version,
            "package.fixed_version": text(said.get("fixed_version"), 128),
            "vulnerability.cvss": score or None,
        },
    )
    return finding(context.scan, found, evidence)
