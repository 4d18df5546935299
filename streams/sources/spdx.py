"""SPDX: what a piece of software, a model or a data set is declared to be made of.

Read are JSON documents of 2.2 and 2.3, also as GitHub exports them (in `sbom`; these are about the
repository), and JSON-LD of 3.0 with the software, AI, dataset and security profiles. Each package
is a record, so is each vulnerability that one refers to, each relationship of two entities, and
each assessment of a vulnerability. A document without a time holds from 1970 on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, Literal, NamedTuple

import msgspec

from schemas.config import Limits
from schemas.detection import Logsource
from schemas.entity import Entity
from schemas.event import Event, EventEvidence
from schemas.times import DAY
from streams.names import models
from streams.records.clocks import told
from streams.records.untrusted import (
    decode,
    distinct,
    edge,
    entity,
    listing,
    mapping,
    plain,
    slices,
    text,
)
from streams.reports import scans, spdx
from streams.reports.attested import predicate
from streams.reports.listed import Listing, listed
from streams.reports.scans import Found, Scan, finding
from streams.reports.vex import disputed, statement
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "spdx"
TITLE: Final = "SPDX document"
LOGSOURCE: Final = Logsource(product="spdx")
LATENESS: Final = DAY  # a document comes when its pipeline has ended
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset({"software_inventory_info", "vulnerability_finding"})
ATTRIBUTES: Final = scans.ATTRIBUTES | frozenset(
    """
    asset.data component.type dataset.confidentiality dataset.type model.autonomy model.domain
    model.risk model.type vulnerability.vex
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
VERSIONS: Final = "2.2, 2.3, 3.0.0 and 3.0.1"
GAPS: Final = (
    "Files, snippets, licences and annotations are not read; tag-value, RDF and YAML are not.",
    "A package that several documents name is no entity of its own.",
)

_CLOSED: Final = frozenset({"fixed", "not_affected"})
_PACKAGES: Final = frozenset({"aipackage", "datasetpackage", "package"})
_LIMITS: Final = Limits()
Part = Literal["package", "advisory", "relationship", "assessment"]


class _Creation(msgspec.Struct):
    created: str | None = None
    creators: Json = None


class _Old(msgspec.Struct):
    spec: str = msgspec.field(name="spdxVersion")
    name: str | None = None
    namespace: str | None = msgspec.field(default=None, name="documentNamespace")
    creation: _Creation | None = msgspec.field(default=None, name="creationInfo")
    describes: list[str] | None = msgspec.field(default=None, name="documentDescribes")
    packages: list[msgspec.Raw] | None = None
    relationships: list[msgspec.Raw] | None = None


class _Export(msgspec.Struct):
    sbom: msgspec.Raw = msgspec.Raw()


class _New(msgspec.Struct):
    graph: list[msgspec.Raw] = msgspec.field(name="@graph")


_OLD: Final = msgspec.json.Decoder(_Old)
_EXPORT: Final = msgspec.json.Decoder(_Export)
_NEW: Final = msgspec.json.Decoder(_New)
_Elements = list[tuple[bytes, dict[str, Json]]]


class Bill(NamedTuple):
    """What holds for all records: when, of what, and which element is which entity."""

    time: int
    identity: str | None
    root: Entity | None
    refs: Mapping[str, Entity]
    named: Mapping[str, dict[str, Json]]
    disputed: frozenset[tuple[Entity | None, str | None]] = frozenset()


class Context(NamedTuple):
    """The document, the part, and of a vulnerability which one and of what."""

    bill: Bill
    part: Part
    of: str | None = None
    target: str | None = None


def sniff(head: bytes) -> bool:
    """A document of version 2 says so, or begins with its files; 3 names its context."""
    old = b'"spdxVersion"' in head and b'"SPDX-' in head
    files = b'"SPDXID"' in head and b'"SPDXRef-' in head
    return old or files or (b"spdx.org/rdf/3" in head and b'"@graph"' in head)


def split(document: bytes) -> Iterator[Raw]:
    """Packages with the vulnerabilities that they refer to, then what is said of two elements."""
    document = predicate(document)
    if b'"spdxVersion"' in document:
        inside = bytes(slices(document, _EXPORT).sbom)
        return _old(slices(inside or document, _OLD))
    elements = [(bytes(one), _read(bytes(one))) for one in slices(document, _NEW).graph]
    return _new(elements)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """A package, a vulnerability of one, or what is said of two elements."""
    context, said = raw.context, mapping(record)
    if not isinstance(context, Context) or not said:
        raise Unreadable("wrong-shape", "a package is an object inside a document")
    return Parsed(_READERS[context.part](context, said, evidence), {})


def _old(held: _Old) -> Iterator[Raw]:
    if not held.spec.startswith("SPDX-2."):
        raise Unreadable("wrong-shape", f"{held.spec[:16]}, not SPDX-2.x")
    packages: _Elements = [(bytes(one), _read(bytes(one))) for one in held.packages or ()]
    relations: _Elements = [(bytes(one), _read(bytes(one))) for one in held.relationships or ()]
    described = list(held.describes or ())
    for _, said in relations:
        if said.get("relationshipType") == "DESCRIBES":
            described.append(text(said.get("relatedSpdxElement"), 1024) or "")
    time = told(held.creation.created if held.creation else None)
    bill = _bill(packages, described, held.name, time, held.namespace)
    if spdx.is_graph(held.creation.creators if held.creation else None, held.name):
        bill = _graph(bill, described, held)
    for data, said in packages:
        yield Raw(data, Context(bill, "package"))
        for of in spdx.advisories(said):
            yield Raw(data, Context(bill, "advisory", of))
    for data, said in relations:
        ends = text(said.get("spdxElementId"), 1024), text(said.get("relatedSpdxElement"), 1024)
        yield from _joined(data, bill, said, *ends)


def _graph(bill: Bill, described: list[str], held: _Old) -> Bill:
    """A dependency graph is of a repository, which one of its packages stands for, if any."""
    known = [one for one in described if one in bill.named]
    about = bill.named[known[0]] if known else dict[str, Json]()
    root = spdx.described(about, held.namespace, held.name)
    if root is None:
        return bill
    return bill._replace(root=root, refs={**bill.refs, **dict.fromkeys(known[:1], root)})


def _new(elements: _Elements) -> Iterator[Raw]:
    roots = [
        root
        for _, said in elements
        if spdx.sort(said) in {"sbom", "bom", "spdxdocument"}
        for one in listing(said.get("rootElement"))
        if (root := text(one, 1024))
    ]
    documents = [said for _, said in elements if spdx.sort(said) == "spdxdocument"]
    created = [said.get("created") for _, said in elements if spdx.sort(said) == "creationinfo"]
    inline = [mapping(said.get("creationInfo")).get("created") for said in documents]
    time = told(next(filter(None, [*inline, *created]), None))
    identity = spdx.identity(documents[0]) if documents else None
    name = text(documents[0].get("name"), 256) if documents else None
    packages = [(data, said) for data, said in elements if spdx.sort(said) in _PACKAGES or not said]
    bill = _bill(packages, roots, name or identity, time, identity)
    named = {known: said for _, said in elements if (known := spdx.identity(said))}
    said_of = (
        ((bill.refs.get(second) or bill.root, text(said.get("from"), 1024)), spdx.status(said))
        for _, said in elements
        if spdx.status(said)
        for second in _targets(said)
    )
    bill = bill._replace(named=named, disputed=disputed(said_of))
    for data, _ in packages:
        yield Raw(data, Context(bill, "package"))
    for data, said in elements:
        first = text(said.get("from"), 1024)
        for second in _targets(said):
            if spdx.status(said):
                yield Raw(data, Context(bill, "assessment", first, second))
            elif "relationshipType" in said:
                yield from _joined(data, bill, said, first, second)


def _targets(said: Mapping[str, Json]) -> list[str]:
    to = listing(said.get("to")) or [said.get("to")]
    return [known for one in to if (known := text(one, 1024))]


def _joined(
    data: bytes, bill: Bill, said: Mapping[str, Json], first: str | None, second: str | None
) -> Iterator[Raw]:
    """A relationship of two entities; others (of licences, files, software) are no records."""
    ends = bill.refs.get(first or ""), bill.refs.get(second or "")
    if spdx.relation(said.get("relationshipType")) and None not in ends and ends[0] != ends[1]:
        yield Raw(data, Context(bill, "relationship", first, second))


def _bill(
    packages: _Elements, roots: list[str], name: str | None, time: int, identity: str | None
) -> Bill:
    named = {known: said for _, said in packages if (known := spdx.identity(said))}
    refs = {known: ids[0] for known, said in named.items() if (ids := spdx.things(said))}
    about = next((named[root] for root in roots if root in named), None)
    root = next((refs[one] for one in roots if one in refs), None)
    if root is None:
        root = entity("application", (about or {}).get("name")) or entity("application", name)
        refs.update({one: root for one in roots if root is not None and one in named})
    return Bill(time, identity, root, refs, named)


def _read(data: bytes) -> dict[str, Json]:
    try:
        return mapping(decode(data, _LIMITS))
    except Unreadable:  # it is a record all the same, and will be rejected as one
        return {}


def _package(context: Context, said: dict[str, Json], evidence: EventEvidence) -> Event:
    name, bill = spdx.title(said), context.bill
    if name is None:
        raise Unreadable("wrong-shape", "a package has a name")
    about = Listing(NAME, bill.time, (bill.identity, spdx.identity(said)))
    if (itself := bill.refs.get(spdx.identity(said) or "")) and itself.kind == "repo":
        kept: dict[str, Json] = {"component.type": "repository"}
        return listed(about, (itself,), evidence, f"repository {itself.id}", attributes=kept)
    ids = spdx.things(said)
    kind = spdx.sort(said) or text(said.get("primaryPackagePurpose"), 64) or "package"
    private = (
        spdx.field(said, "useSensitivePersonalInformation"),
        spdx.field(said, "hasSensitivePersonalInformation"),
    )
    kept = {
        "component.type": kind.lower(),
        "package.name": name,
        "package.version": spdx.version(said),
        "package.purl": spdx.purl(said),
        "asset.data": ["personal"] if "yes" in [text(one) for one in private] else None,
        "model.type": plain(spdx.field(said, "typeOfModel")),
        "model.domain": plain(spdx.field(said, "domain")),
        "model.risk": text(spdx.field(said, "safetyRiskAssessment"), 64),
        "model.autonomy": text(spdx.field(said, "autonomyType"), 64),
        "dataset.type": plain(spdx.field(said, "datasetType")),
        "dataset.confidentiality": text(spdx.field(said, "confidentialityLevel"), 64),
    }
    ties = list(models.same(ids))
    root = bill.root
    # What a model was made of its relationships say; an application, or an image, uses all of it.
    if ids and root is not None and root.kind not in {"dataset", "model"} and ids[0] != root:
        ties.append(edge(root, "uses", ids[0], declared=True))
    things = (*ids, bill.root)
    return listed(about, things, evidence, f"package {name}", edges=ties, attributes=kept)


def _advisory(context: Context, said: dict[str, Json], evidence: EventEvidence) -> Event:
    name, bill, of = text(said.get("name"), 256), context.bill, context.of or ""
    ids = spdx.things(said)
    asset = ids[0] if ids else bill.root
    if asset is None:
        raise Unreadable("wrong-shape", "a document names what it describes")
    kept: dict[str, Json] = {
        "package.version": spdx.version(said),
        "package.purl": spdx.purl(said),
    }
    place = text(said.get("SPDXID"), 256)
    found = Found(
        "vulnerability", of, f"{of} in {name}", package=name, place=place, attributes=kept
    )
    return finding(Scan(NAME, NAME, asset, bill.time), found, evidence)


def _relationship(context: Context, said: dict[str, Json], evidence: EventEvidence) -> Event:
    known, bill = spdx.relation(said.get("relationshipType")), context.bill
    first, second = bill.refs.get(context.of or ""), bill.refs.get(context.target or "")
    if known is None or first is None or second is None:
        raise Unreadable("wrong-shape", "a relationship joins two elements of the document")
    word, turned = known
    first, second = (second, first) if turned else (first, second)
    about = Listing(NAME, bill.time, (bill.identity, context.of, context.target))
    ties = (edge(first, word, second, declared=True),)
    message = f"{first.id} {word} {second.id}"
    return listed(about, distinct((first, second)), evidence, message, edges=ties)


def _assessment(context: Context, said: dict[str, Json], evidence: EventEvidence) -> Event:
    bill, state = context.bill, spdx.status(said)
    flaw = bill.named.get(context.of or "", {})
    ids = [mapping(one).get("identifier") for one in listing(flaw.get("externalIdentifier"))]
    names = [text(one, 256) for one in (flaw.get("name"), *ids, context.of)]
    said_of = spdx.ADVISORY.search(" ".join(filter(None, names)))
    of = said_of[0].upper() if said_of else next(filter(None, names), None)
    asset = bill.refs.get(context.target or "") or bill.root
    if of is None or asset is None or state is None:
        raise Unreadable("wrong-shape", "an assessment names a vulnerability and a product")
    part = bill.named.get(context.target or "", {})
    told_ = statement(state, doubt=(asset, context.of) in bill.disputed)
    package = text(part.get("name"), 256)
    found = Found(
        sort="vulnerability",
        of=of,
        title=f"{of} in {package or asset.id}: {state.replace('_', ' ')}",
        package=package,
        closed=state in _CLOSED,
        attributes={"vulnerability.vex": told_, "package.version": spdx.version(part)},
    )
    return finding(Scan(NAME, NAME, asset, bill.time), found, evidence)


_READERS: Final[dict[Part, Callable[[Context, dict[str, Json], EventEvidence], Event]]] = {
    "package": _package,
    "advisory": _advisory,
    "relationship": _relationship,
    "assessment": _assessment,
}
