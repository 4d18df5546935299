"""CycloneDX: what an application declares to be made of, and what is known to be wrong with it.

Read are JSON documents of 1.2 to 1.7, those inside attestations (in-toto) and reports of the Trivy
operator too. The component that a document is about, each component, service and vulnerability is a
record, so is a workflow of a formulation that names models or data: a job that reads and makes
them. A document without a time holds from 1970 on, and says so. What breaks the standard is said in
`bom.invalid`; a document with a fault and no part is rejected.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from correlators.weakness import AGAINST
from schemas.canonical import digest
from schemas.config import Limits
from schemas.detection import Logsource
from schemas.entity import Entity
from schemas.event import LEVELS, Edge, Event, EventEvidence, Level, ScanFinding
from schemas.times import DAY
from streams.lineage import formulation
from streams.names import models
from streams.names.artifacts import UNNAMED
from streams.records.untrusted import (
    decode,
    distinct,
    edge,
    listing,
    mapping,
    moment,
    number,
    plain,
    secret,
    slices,
    text,
)
from streams.reports import conformance, trivy_operator
from streams.reports.attested import predicate
from streams.reports.bom import (
    Bom,
    Context,
    Table,
    ancestors,
    dataset,
    model_ids,
    package,
    properties,
    root,
    sha256,
    state,
    thing,
)
from streams.reports.scans import of_score
from streams.reports.vex import statement
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "cyclonedx"
TITLE: Final = "CycloneDX bill of materials"
LOGSOURCE: Final = Logsource(product="cyclonedx")
LATENESS: Final = DAY  # a document comes when its pipeline has ended
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset({"software_inventory_info", "vulnerability_finding"})
ATTRIBUTES: Final = frozenset(
    """
    asset.criticality asset.data asset.exposure bom.invalid component.properties component.sha256
    component.supplier component.type job.tasks model.approach model.architecture model.task
    package.name package.purl package.version service.endpoints time.unknown vulnerability.cvss
    vulnerability.id vulnerability.severity vulnerability.vex
    """.split()  # noqa: SIM905 - names read better as a paragraph
)

VERSIONS: Final = "1.2 to 1.7"
GAPS: Final = (
    "XML and protobuf are not read.",
    "Conformance is checked where a reader relies on it, not against the whole JSON Schema.",
    (
        "A VEX document that speaks of another bill's parts by their references is one of its own "
        "component, or of the image or model that a purl in the reference names."
    ),
    "Compositions, annotations, declarations and cryptography are not read.",
)

_ASSET: Final = ("exposure", "criticality")
_SEVERITIES: Final[dict[str, Level]] = {
    "low": "low",
    "medium": "medium",
    "high": "high",
    "critical": "critical",
}
_HEAD: Final = 65_536  # bytes of a document that say what it is inside of
_PROPERTIES: Final = 32  # of one part that are kept


class _Dependency(msgspec.Struct):
    ref: str = ""
    depends: list[str] | None = msgspec.field(default=None, name="dependsOn")


class _Formula(msgspec.Struct):
    workflows: list[msgspec.Raw] | None = None
    components: list[msgspec.Raw] | None = None


class _Metadata(msgspec.Struct):
    timestamp: str | None = None
    component: msgspec.Raw = msgspec.Raw()


class _Document(msgspec.Struct):
    format: str = msgspec.field(name="bomFormat")
    spec: str = msgspec.field(name="specVersion")
    serial: str | None = msgspec.field(default=None, name="serialNumber")
    version: int | str | None = None
    metadata: _Metadata | None = None
    components: list[msgspec.Raw] | None = None
    services: list[msgspec.Raw] | None = None
    dependencies: list[_Dependency] | None = None
    vulnerabilities: list[msgspec.Raw] | None = None
    formulation: list[_Formula] | None = None


class _Loose(msgspec.Struct):
    """What is checked as it is, whatever its shape."""

    metadata: msgspec.Raw = msgspec.Raw(b"{}")
    dependencies: msgspec.Raw = msgspec.Raw(b"[]")
    citations: msgspec.Raw = msgspec.Raw(b"[]")


_LOOSE: Final = msgspec.json.Decoder(_Loose)
_LIMITS: Final = Limits()
_DOCUMENT: Final = msgspec.json.Decoder(_Document)


def sniff(head: bytes) -> bool:
    """A document names its format, behind all parts where keys are sorted; parts have refs."""
    named = b'"bomFormat"' in head and b'"CycloneDX"' in head
    return named or (b'"bom-ref"' in head and b'"components"' in head)


def split(document: bytes) -> Iterator[Raw]:
    """The parts of a document: its own component first, what is inside a part behind it."""
    if trivy_operator.GROUP in document[:_HEAD]:
        return (raw for one in trivy_operator.bills(document) for raw in _bill(one))
    return _bill(predicate(document))


def _bill(document: bytes) -> Iterator[Raw]:
    told = slices(document, _DOCUMENT)
    if told.format != "CycloneDX" or not told.spec.startswith("1."):
        raise Unreadable("wrong-shape", f"{told.format[:32]} {told.spec[:16]}, not CycloneDX 1.x")
    about = told.metadata or _Metadata()
    time = moment(about.timestamp) if about.timestamp else 0
    table = Table()
    table.add("root", [about.component] if bytes(about.component) else [], None)
    whole = table.whole
    table.add("component", told.components, whole)
    table.add("service", told.services, whole)
    table.add("vulnerability", told.vulnerabilities, whole)
    for formula in told.formulation or ():
        table.add("component", formula.components, whole)
    for formula in told.formulation or ():
        flows = [one for one in formula.workflows or () if formulation.trains(one, table.refs)]
        table.add("workflow", flows, whole)
    faults = _faults(document, told)
    if faults and not table.places:
        raise Unreadable("wrong-shape", faults[0])
    bom = Bom(
        identity=(told.serial, plain(told.version), whole.key if whole else None),
        time=time,
        dated=bool(about.timestamp),
        root=whole,
        refs=table.refs,
        packages=table.packages,
        dependencies={one.ref: one.depends or [] for one in told.dependencies or ()},
        minor=_minor(told),
        faults=tuple(faults),
        twice=frozenset(table.twice),
    )
    return table.raws(bom)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """One part: a thing of the inventory, or a vulnerability."""
    context = raw.context
    if not isinstance(context, Context) or not isinstance(record, dict):
        raise Unreadable("wrong-shape", "a part is an object inside a document")
    match context.part:
        case "vulnerability":
            return Parsed(_vulnerability(context, mapping(record), evidence), {})
        case "workflow":
            return Parsed(formulation.job(NAME, context.bom, mapping(record), evidence), {})
        case _:
            return Parsed(_inventory(context, mapping(record), evidence), {})


def _inventory(context: Context, said: dict[str, Json], evidence: EventEvidence) -> Event:
    bom, name = context.bom, text(said.get("name"), 512)
    if name is None:
        raise Unreadable("wrong-shape", "a component or service has a name")
    found = root(said) if context.part == "root" else thing(context.part, said)
    data = _datasets(context, said)
    kept = _asset(said) | {"component.type": text(said.get("type"), 64) or context.part}
    kept |= package(said) | _card(said) | _told(context, said)
    ids = model_ids(said) if found is not None and found.kind == "model" else ()
    return Event(
        uid=digest(NAME, *bom.identity, bom.time, evidence.sha256),
        time=bom.time,
        source=NAME,
        class_uid=5020,
        class_name="Software Inventory Info",
        activity="Collect",
        status="success",
        message=f"{found.kind if found else 'software'} {name}",
        entities=distinct((found, *ids, *data, bom.root)),
        edges=(*_edges(context, said, found, data), *models.same((found, *ids))),
        attributes={key: value for key, value in kept.items() if value is not None},
        evidence=evidence,
    )


def _asset(said: dict[str, Json]) -> dict[str, Json]:
    """What its author says of a thing: how exposed, how critical, which data it holds."""
    told = properties(said)
    kept: dict[str, Json] = {f"asset.{name}": told.get(name) for name in _ASSET}
    classes = [text(mapping(one).get("classification"), 64) for one in listing(said.get("data"))]
    labels = told["data"].split(",") if "data" in told else [*filter(None, classes)]
    kept["asset.data"] = sorted({label.strip().lower() for label in labels} - {""}) or None
    kept["service.endpoints"] = plain(said.get("endpoints")) or None
    return kept


def _card(said: dict[str, Json]) -> dict[str, Json]:
    """What a model card says in a word, and who supplies the part."""
    card = mapping(mapping(said.get("modelCard")).get("modelParameters"))
    given = mapping(said.get("supplier")) or mapping(said.get("manufacturer"))
    others: dict[str, Json] = {}
    for one in map(mapping, listing(said.get("properties"))[:_PROPERTIES]):
        name, value = text(one.get("name"), 128), text(one.get("value"), 256)
        if name and value and not name.startswith("barograph:") and not secret(value):
            others.setdefault(name, value)
    return {
        "model.approach": text(mapping(card.get("approach")).get("type"), 64),
        "model.architecture": text(card.get("architectureFamily"), 128),
        "model.task": text(card.get("task"), 128),
        "component.supplier": text(given.get("name") or said.get("publisher"), 128),
        "component.sha256": (sha256(said) or "").lower() or None,
        "component.properties": others or None,
    }


def _told(context: Context, said: dict[str, Json]) -> dict[str, Json]:
    """What holds beside the part: that nothing is dated, and what breaks the standard."""
    bom = context.bom
    faults = [*bom.faults, *conformance.of_part(said, context.part, bom.minor)]
    if text(said.get("bom-ref")) in bom.twice:
        faults.append("a `bom-ref` is unique")
    return {
        "bom.invalid": list(dict.fromkeys(faults)) or None,
        "time.unknown": None if bom.dated else True,
    }


def _minor(told: _Document) -> int:
    known = told.spec.partition(".")[2]
    return int(known) if known.isascii() and known.isdecimal() and len(known) < 3 else 7


def _faults(document: bytes, told: _Document) -> list[str]:
    """What breaks the standard in all of the document."""
    loose = slices(document, _LOOSE)
    said: dict[str, Json] = {"serialNumber": told.serial}
    for name in ("metadata", "dependencies", "citations"):
        said[name] = decode(bytes(getattr(loose, name)), _LIMITS)
    return conformance.of_document(said, _minor(told))


def _datasets(context: Context, said: dict[str, Json]) -> list[Entity]:
    card = mapping(mapping(said.get("modelCard")).get("modelParameters"))
    found = (
        context.bom.refs.get(text(mapping(one).get("ref")) or "") or dataset(mapping(one))
        for one in listing(card.get("datasets"))
    )
    return [one for one in found if one is not None]


def _edges(
    context: Context, said: dict[str, Json], found: Entity | None, data: list[Entity]
) -> Iterator[Edge]:
    if found is None:
        return
    bom, above = context.bom, context.above
    if above is not None and above != found:
        yield edge(above, "uses", found, declared=True)
    for one in data:
        yield edge(found, "trained_on", one, declared=True)
    for one in ancestors(said):
        if one != found:
            yield edge(found, "derived_from", one, declared=True)
    if context.part == "root":  # uses what is in the document, dependency or not
        return
    for ref in bom.dependencies.get(text(said.get("bom-ref")) or "", ()):
        needed = bom.refs.get(ref)
        if needed is not None and needed != found:
            yield edge(found, "depends_on", needed, declared=True)


def _vulnerability(context: Context, said: dict[str, Json], evidence: EventEvidence) -> Event:
    bom, of = context.bom, text(said.get("id"), 256)
    if of is None:
        raise Unreadable("wrong-shape", "a vulnerability has an id")
    place = context.ref
    about = bom.asset(place)
    assets, said_of = distinct((about, bom.root)), state(said)
    nameless = not assets  # a bill that does not say of what it is waives nothing of others
    assets = assets or (UNNAMED,)
    software = bom.packages.get(place or "", {})
    name = text(software.get("package.name"))
    closed = said_of in AGAINST
    score, severity = _rated(said)
    finding = ScanFinding(
        uid=digest(NAME, assets[0].key, of, name, place),
        title=f"{of} in {name}" if name else of,
        state="resolved" if closed else "open",
        vulnerability=of,
        package=name,
        location=place,
    )
    kept = software | {
        "vulnerability.id": of,
        "vulnerability.severity": severity,
        "vulnerability.cvss": score,
        "vulnerability.vex": None
        if nameless
        else statement(said_of, doubt=(about, of) in bom.disputed),
        "time.unknown": None if bom.dated else True,
    }
    return Event(
        uid=digest(NAME, *bom.identity, bom.time, finding.uid, evidence.sha256),
        time=bom.time,
        source=NAME,
        class_uid=2002,
        class_name="Vulnerability Finding",
        activity="Close" if closed else "Create",
        severity=severity,
        message=finding.title,
        entities=assets,
        finding=finding,
        attributes={key: value for key, value in kept.items() if value is not None},
        evidence=evidence,
    )


def _rated(said: dict[str, Json]) -> tuple[float | None, Level]:
    """The highest CVSS score and the highest severity of all ratings."""
    ratings = [mapping(one) for one in listing(said.get("ratings"))]
    scores = [
        score
        for one in ratings
        if (text(one.get("method")) or "CVSS").startswith("CVSS")
        and (score := number(one.get("score"))) is not None
    ]
    score = max(scores, default=None)
    words = [text(one.get("severity")) for one in ratings]
    known = [_SEVERITIES[word] for word in words if word in _SEVERITIES]
    known = known or [of_score(score or 0)]  # where nobody gave a word
    return score, LEVELS[max(map(LEVELS.index, known))]
