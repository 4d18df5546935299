"""VEX: whether a product is affected by a vulnerability, as its maker, or its user, says.

Read are OpenVEX 0.0.1 to 0.2.0 (vulnerability and products as objects or as texts), also inside an
attestation (in-toto), and advisories of CSAF 2.0 and 2.1. What is said of one product, or one part
of it, and one vulnerability is a finding: open where it is affected or still looked into, closed
where it is not affected or fixed. The asset is the image or the model that a purl names, else the
product as an application.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from schemas.config import Limits
from schemas.detection import Logsource
from schemas.entity import Entity
from schemas.event import EventEvidence
from schemas.times import DAY
from streams.names import purls
from streams.records.clocks import told
from streams.records.untrusted import decode, entity, listing, mapping, slices, text
from streams.reports import csaf, scans
from streams.reports.attested import predicate
from streams.reports.scans import Found, Scan, finding, level
from streams.reports.vex import disputed, statement
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "openvex"
TITLE: Final = "OpenVEX and CSAF statements"
LOGSOURCE: Final = Logsource(product="openvex")
LATENESS: Final = DAY  # a document collects statements of several days
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset({"vulnerability_finding"})
ATTRIBUTES: Final = scans.ATTRIBUTES | frozenset(
    """
    vex.author vex.justification vulnerability.vex
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
VERSIONS: Final = "OpenVEX 0.0.1 to 0.2.0, CSAF 2.0 and 2.1"
GAPS: Final = (
    "Which assets hold a package that is said to be affected is for the inventory to know.",
    "Remediations of CSAF are not read; fixed products are.",
)

_CLOSED: Final = frozenset({"fixed", "not_affected"})
_STATUSES: Final = frozenset({"affected", "under_investigation"}) | _CLOSED
_LIMITS: Final = Limits()


class _Document(msgspec.Struct):
    statements: list[msgspec.Raw]
    author: str | None = None
    timestamp: str | None = None
    last_updated: str | None = None


_DOCUMENT: Final = msgspec.json.Decoder(_Document)


class Said(NamedTuple):
    """One product of a statement, perhaps one part of it; `status` None of an OpenVEX statement."""

    author: str | None
    time: str | None
    product: csaf.Product
    status: str | None = None
    disputed: frozenset[tuple[str, str | None]] = frozenset()


def sniff(head: bytes) -> bool:
    """OpenVEX names its context, CSAF its version."""
    return (b"openvex.dev/ns" in head and b'"@context"' in head) or b'"csaf_version"' in head


def split(document: bytes) -> Iterator[Raw]:
    """What is said of each product, in the order of the document."""
    document = predicate(document)
    if b'"csaf_version"' in document and b"openvex.dev/ns" not in document:
        return _held_together(list(_of_advisory(csaf.advisory(document))))
    held = slices(document, _DOCUMENT)
    time = held.last_updated or held.timestamp
    raws = [raw for one in held.statements for raw in _of_statement(bytes(one), held.author, time)]
    return _held_together(raws)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """What is said of a product and a vulnerability."""
    said, context = mapping(record), raw.context
    if not isinstance(context, Said):
        raise Unreadable("wrong-shape", "a statement has products and a vulnerability")
    of, aliases = _vulnerability(said)
    status = context.status or text(said.get("status"), 32)
    if of is None or status not in _STATUSES:
        raise Unreadable("wrong-shape", "a statement has a vulnerability and a known `status`")
    product, part = context.product, context.product.part
    known = purls.package(part or product.purl or product.id)
    asset = _asset(product)
    if asset is None:
        raise Unreadable("wrong-shape", "a product has an `@id`")
    name = known.name if known else part or product.name
    score = csaf.score(said, product.id)
    why = text(said.get("justification"), 64) or csaf.justification(said, product.id)
    purl = part or product.purl or product.id
    found = Found(
        sort="vulnerability",
        of=of,
        title=f"{of} in {name}: {status.replace('_', ' ')}",
        severity=level(score),
        package=name[:256],
        place=part,
        closed=status in _CLOSED,
        attributes={
            "package.version": known.version if known else None,
            "package.purl": purl[:512] if known else None,
            "vulnerability.aliases": aliases or None,
            "vulnerability.cvss": score,
            "vex.author": text(context.author, 128),
            "vex.justification": why,
            "vulnerability.vex": statement(status, doubt=(product.id, of) in context.disputed),
        },
    )
    time = _time(said, context)
    return Parsed(finding(Scan(NAME, "vex", asset, time), found, evidence), {})


def _held_together(raws: list[Raw]) -> Iterator[Raw]:
    """The statements, each with what the others of the document say against it.

    Of one part, and of a product as a whole, the last one holds.
    """
    last: dict[tuple[str, str | None, str | None], tuple[int, int, str | None]] = {}
    data, said = b"", dict[str, Json]()
    for n, raw in enumerate(raws):
        if isinstance(raw.context, Said):
            if raw.data is not data:  # one statement is of many products
                data, said = raw.data, _read(raw.data)
            product = raw.context.product
            key = (product.id, _vulnerability(said)[0], product.part)
            status = raw.context.status or text(said.get("status"), 32)
            now = (_when(said, raw.context), n, status)
            last[key] = max(last.get(key, now), now)
    parts = (((product, of), status) for (product, of, _), (_, _, status) in last.items())
    known = disputed(parts)
    for raw in raws:
        context = raw.context
        held = context._replace(disputed=known) if isinstance(context, Said) else context
        yield raw._replace(context=held)


def _when(said: dict[str, Json], context: Said) -> int:
    try:
        return _time(said, context)
    except Unreadable:  # it is a record all the same, and will be rejected as one
        return 0


def _time(said: dict[str, Json], context: Said) -> int:
    return told(text(said.get("last_updated")) or text(said.get("timestamp")) or context.time)


def _read(data: bytes) -> dict[str, Json]:
    try:
        return mapping(decode(data, _LIMITS))
    except Unreadable:  # it is a record all the same, and will be rejected as one
        return {}


def _of_statement(data: bytes, author: str | None, time: str | None) -> Iterator[Raw]:
    said, count = _read(data), 0
    for one in listing(said.get("products")):
        product = _product(one)
        parts = [_product(part) for part in listing(mapping(one).get("subcomponents"))]
        for part in [part.id for part in parts if part] or [""]:
            if product is not None:
                count += 1
                yield Raw(data, Said(author, time, product._replace(part=part or None)))
    if not count:
        yield Raw(data)


def _of_advisory(held: csaf.Advisory) -> Iterator[Raw]:
    for data in held.vulnerabilities:
        said = _read(data)
        pairs = list(csaf.statuses(said))
        for identity, status in pairs:
            product = held.products.get(identity) or csaf.Product(identity, identity, None)
            yield Raw(data, Said(held.author, held.time, product, status=status))
        if not pairs:
            yield Raw(data)


def _product(said: Json) -> csaf.Product | None:
    """A product of OpenVEX: its `@id`, or its purl among the identifiers, or itself a text."""
    held = mapping(said)
    purl = text(mapping(held.get("identifiers")).get("purl"), 2048)
    known = text(said, 2048) or text(held.get("@id"), 2048) or purl
    return None if known is None else csaf.Product(known, known, purl)


def _asset(product: csaf.Product) -> Entity | None:
    found = purls.asset(product.purl or product.id)
    known = purls.package(product.purl or product.id)
    named = (
        f"{known.type}/{known.name}@{known.version or ''}".rstrip("@") if known else product.name
    )
    return found or entity("application", named)


def _vulnerability(said: dict[str, Json]) -> tuple[str | None, list[str]]:
    """The id and the aliases, of OpenVEX or of CSAF."""
    told_ = said.get("vulnerability")
    held = mapping(told_)
    ids = [text(mapping(one).get("text"), 128) for one in listing(said.get("ids"))]
    named = (text(told_, 128), text(held.get("name"), 128), text(said.get("cve"), 128), *ids)
    of = next(filter(None, (*named, text(held.get("@id"), 128))), None)
    aliases = {known for one in listing(held.get("aliases")) if (known := text(one, 128))}
    return of, sorted(aliases | {one for one in ids if one and one != of})
