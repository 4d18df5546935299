"""Grype: the vulnerable packages of one image or folder, and the scan itself.

Read are JSON reports. Each match, and each that the user's rules set aside, is a record; the last
record is the whole report.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from schemas.detection import Logsource
from schemas.entity import Entity
from schemas.event import EventEvidence
from schemas.times import DAY
from streams.names.advisories import fixed, known
from streams.names.artifacts import UNNAMED, container, repository
from streams.records.untrusted import listing, mapping, number, slices, text
from streams.reports import scans
from streams.reports.scans import Found, Scan, finding, level, measured
from streams.reports.whole import Ended, Whole, about, dated, whole
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "grype"
TITLE: Final = "Grype report"
LOGSOURCE: Final = Logsource(product="grype")
LATENESS: Final = DAY  # a report comes when its pipeline has ended
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset({"scan_activity", "vulnerability_finding"})
ATTRIBUTES: Final = scans.ATTRIBUTES
VERSIONS: Final = "0.7 (flat cvssV2), 0.28, 0.36 and 0.96 (EPSS); known exploited as documented"
GAPS: Final = (
    (
        "A report without its `source` says nothing of which image: its findings are those of "
        "files without a name, and close nothing."
    ),
)


class _Source(msgspec.Struct):
    type: str = ""
    target: Json = None


class _Report(msgspec.Struct):
    matches: list[msgspec.Raw]
    ignored: list[msgspec.Raw] | None = msgspec.field(default=None, name="ignoredMatches")
    source: _Source | None = None
    descriptor: Json = None


_REPORT: Final = msgspec.json.Decoder(_Report)


class Context(NamedTuple):
    """What the report says of all its matches."""

    scan: Scan
    ignored: bool = False


def sniff(head: bytes) -> bool:
    """A match has an artifact and details; a report without one names its tool."""
    return b'"matches"' in head and (
        (b'"matchDetails"' in head and b'"artifact"' in head)
        or (b'"descriptor"' in head and b'"grype"' in head)
    )


def split(document: bytes) -> Iterator[Raw]:
    """The matches of a report, in its order, those set aside, and the report."""
    report = slices(document, _REPORT)
    descriptor = mapping(report.descriptor)
    scan = Scan(NAME, NAME, _asset(report.source), dated(descriptor.get("timestamp")))
    # Without its database Grype finds nothing.
    database = mapping(descriptor.get("db"))
    errors = (database.get("error"), mapping(database.get("status")).get("error"))
    failed = any(text(one) for one in errors)
    ended = Ended(scan, len(report.matches), failed)
    return _raws(document, report, ended)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """One match, or the scan."""
    if isinstance(raw.context, Whole):
        return raw.context.event(evidence)
    context, said = about(raw.context, Context, record)
    weakness, artifact = mapping(said.get("vulnerability")), mapping(said.get("artifact"))
    related = [mapping(one) for one in listing(said.get("relatedVulnerabilities"))]
    name = known(weakness.get("id"), *(one.get("id") for one in related))
    if name is None:
        raise Unreadable("wrong-shape", "a match has a vulnerability with an id")
    package, version = text(artifact.get("name"), 256), text(artifact.get("version"), 256)
    score = _score([weakness, *related])
    paths = [text(mapping(one).get("path"), 512) for one in listing(artifact.get("locations"))]
    found = Found(
        sort="vulnerability",
        of=name.of,
        title=f"{name.of} in {package} {version}",
        severity=level(weakness.get("severity"), score),
        package=package,
        place=next(filter(None, paths), None),
        closed=context.ignored,
        attributes={
            "vulnerability.aliases": name.aliases,
            "vulnerability.cvss": score,
            "vulnerability.epss": _epss([weakness, *related]),
            "vulnerability.kev": True if _exploited([weakness, *related]) else None,
            "package.version": version,
            "package.fixed_version": _fixed(weakness),
            "package.purl": text(artifact.get("purl"), 512),
        },
    )
    return Parsed(finding(context.scan, found, evidence), {})


def _raws(document: bytes, report: _Report, ended: Ended) -> Iterator[Raw]:
    yield from (Raw(bytes(row), Context(ended.scan)) for row in report.matches)
    set_aside = Context(ended.scan, ignored=True)
    yield from (Raw(bytes(row), set_aside) for row in report.ignored or ())
    yield from whole(document, ended)


def _asset(source: _Source | None) -> Entity:
    if source is None:
        return UNNAMED
    target = mapping(source.target)
    if source.type == "image" or "imageID" in target:
        names = [target.get("userInput"), *listing(target.get("tags")), target.get("imageID")]
        return container(*names, digests=listing(target.get("repoDigests"))) or UNNAMED
    return repository(source.target if isinstance(source.target, str) else None) or UNNAMED


def _fixed(weakness: dict[str, Json]) -> str | None:
    given = mapping(weakness.get("fix"))
    return fixed(listing(given.get("versions"))) or text(weakness.get("fixedInVersion"), 256)


def _score(told: list[dict[str, Json]]) -> float | None:
    """The highest base score, of version 2 only where nobody gave a newer one."""
    new: list[float] = []
    old: list[float] = []
    for one in told:
        for given in map(mapping, listing(one.get("cvss"))):
            score = number(mapping(given.get("metrics")).get("baseScore"))
            if score:
                (old if (text(given.get("version")) or "").startswith("2") else new).append(score)
        for key, scores in (("cvssV2", old), ("cvssV3", new)):
            score = number(mapping(one.get(key)).get("baseScore"))
            if score:
                scores.append(score)
    return max(new or old, default=None)


def _epss(told: list[dict[str, Json]]) -> float | None:
    given = (measured(mapping(row).get("epss")) for one in told for row in listing(one.get("epss")))
    return max((score for score in given if score is not None), default=None)


def _exploited(told: list[dict[str, Json]]) -> bool:
    return any(listing(one.get("knownExploited")) for one in told)
