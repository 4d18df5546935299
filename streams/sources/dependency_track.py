"""Dependency-Track: the vulnerable components of a project, and what the analysts say of them.

Read are exports in the Finding Packaging Format (FPF) 1.x. Each finding is a record; the last one
is the export, which closes what it no longer finds in the project. A finding that is suppressed,
or analysed as false positive, not affected or resolved, is closed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from schemas.detection import Logsource
from schemas.event import EventEvidence
from schemas.times import DAY
from streams.names.advisories import known
from streams.records.untrusted import entity, listing, mapping, number, slices, text
from streams.reports import scans
from streams.reports.scans import Found, Scan, finding, level
from streams.reports.whole import Ended, Whole, about, dated, whole
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "dependency_track"
TITLE: Final = "Dependency-Track findings"
LOGSOURCE: Final = Logsource(product="dependency_track")
LATENESS: Final = DAY  # an export is made by hand or once a day
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset({"scan_activity", "vulnerability_finding"})
ATTRIBUTES: Final = scans.ATTRIBUTES | {"check.status"}
VERSIONS: Final = "3.4, 3.8, 4.7 and 4.14"
GAPS: Final = ("Policy violations and the notifications of a webhook are not read.",)

_ENDED: Final = frozenset({"FALSE_POSITIVE", "NOT_AFFECTED", "RESOLVED"})


class _Export(msgspec.Struct):
    findings: list[msgspec.Raw] | None
    project: Json
    meta: Json = None


_EXPORT: Final = msgspec.json.Decoder(_Export)


def sniff(head: bytes) -> bool:
    """An export names the application that made it, or has findings with a matrix."""
    return (b'"Dependency-Track"' in head and b'"findings"' in head) or (
        b'"findings"' in head and b'"vulnId"' in head and b'"matrix"' in head
    )


def split(document: bytes) -> Iterator[Raw]:
    """The findings of an export, in its order, and the export."""
    export = slices(document, _EXPORT)
    project = mapping(export.project)
    asset = entity("application", project.get("name")) or entity("application", project.get("uuid"))
    if asset is None:
        raise Unreadable("wrong-shape", "an export names its project")
    scan = Scan(NAME, NAME, asset, dated(mapping(export.meta).get("timestamp")))
    return _raws(document, scan, export.findings or [])


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """One vulnerability of a component, or the export."""
    if isinstance(raw.context, Whole):
        return raw.context.event(evidence)
    scan, said = about(raw.context, Scan, record)
    weakness, component = mapping(said.get("vulnerability")), mapping(said.get("component"))
    analysis = mapping(said.get("analysis"))
    aliases = [mapping(one) for one in listing(weakness.get("aliases"))]
    others = [one.get(key) for one in aliases for key in ("cveId", "ghsaId", "osvId", "snykId")]
    name = known(weakness.get("vulnId"), *others)
    if name is None:
        raise Unreadable("wrong-shape", "a finding has a vulnerability with vulnId")
    package, version = text(component.get("name"), 256), text(component.get("version"), 256)
    group = text(component.get("group"), 256)
    scores = [number(weakness.get(f"cvssV{n}Score")) for n in (4, 3)]
    scores += [number(weakness.get(f"cvssV{n}BaseScore")) for n in (3, 2)]
    score = next((one for one in scores if one is not None), None)
    state = text(analysis.get("state"), 32)
    found = Found(
        sort="vulnerability",
        of=name.of,
        title=text(weakness.get("title"), 512) or f"{name.of} in {package} {version}",
        severity=level(weakness.get("severity"), score),
        package=package,
        place=":".join(filter(None, (group, package, version))) or None,
        closed=analysis.get("isSuppressed") is True or state in _ENDED,
        attributes={
            "check.status": state,
            "vulnerability.aliases": name.aliases,
            "vulnerability.cvss": score,
            "vulnerability.epss": number(weakness.get("epssScore")),
            "package.version": version,
            "package.purl": text(component.get("purl"), 512),
        },
    )
    return Parsed(finding(scan, found, evidence), {})


def _raws(document: bytes, scan: Scan, findings: list[msgspec.Raw]) -> Iterator[Raw]:
    yield from (Raw(bytes(one), scan) for one in findings)
    yield from whole(document, Ended(scan, len(findings)))
