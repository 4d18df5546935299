"""Scans: what a report says of an asset, whichever scanner wrote it, as Events of one shape.

A finding is one Event. A report that says all there is of one asset ends with the scan itself,
which closes what that tool found there before and does not find any more. A scan that failed
closes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

from schemas.canonical import digest
from schemas.entity import Entity
from schemas.event import Edge, Event, EventEvidence, Level, ScanFinding, Status
from streams.records.untrusted import distinct, number, text
from streams.source import Json

Sort = Literal["vulnerability", "compliance", "detection", "data", "posture", "access"]

_CLASSES: Final[dict[Sort, tuple[int, str]]] = {
    "vulnerability": (2002, "Vulnerability Finding"),
    "compliance": (2003, "Compliance Finding"),
    "detection": (2004, "Detection Finding"),
    "data": (2006, "Data Security Finding"),
    "posture": (2007, "Application Security Posture Finding"),
    "access": (2008, "IAM Analysis Finding"),
}
_WORDS: Final[dict[str, Level]] = {
    "blocker": "critical",
    "critical": "critical",
    "error": "high",
    "fatal": "critical",
    "high": "high",
    "important": "high",
    "low": "low",
    "major": "high",
    "medium": "medium",
    "minor": "low",
    "moderate": "medium",
    "severe": "high",
    "trace": "informational",
    "warn": "medium",
    "warning": "medium",
}
# The bands of CVSS 3 and 4 (qualitative severity rating scale).
_SCORES: Final[tuple[tuple[float, Level], ...]] = (
    (9.0, "critical"),
    (7.0, "high"),
    (4.0, "medium"),
    (0.1, "low"),
)
# Attributes that sources of scans give besides their own.
ATTRIBUTES: Final = frozenset(
    """
    check.id check.resource package.fixed_version package.name package.purl package.version
    scan.findings scan.tool secret.category secret.rule time.unknown vulnerability.aliases
    vulnerability.cvss vulnerability.epss vulnerability.id vulnerability.kev vulnerability.severity
    """.split()  # noqa: SIM905 - names read better as a paragraph
)


class Scan(NamedTuple):
    """What a report says of itself: which tool looked at which asset, and when.

    `source` is the format. Time 0: the report does not say; what it says holds from 1970 on.
    """

    source: str
    tool: str
    asset: Entity
    time: int


class Found(NamedTuple):
    """One row of a report.

    `of` is what was found: the vulnerability, check or rule, by its most common id. `place` is
    where in the asset; with it and `package` a finding of a later report is the same one. A finding
    that is `closed` was looked for and is not, or no longer, there. `attributes` are the source's
    own; those that say nothing are None.
    """

    sort: Sort
    of: str
    title: str
    severity: Level = "informational"
    package: str | None = None
    place: str | None = None
    closed: bool = False
    attributes: Mapping[str, Json] = MappingProxyType({})
    # The scanner's own mark of the finding, which stays while lines move; else `place` is it.
    mark: str | None = None


def finding(
    scan: Scan,
    found: Found,
    evidence: EventEvidence,
    *,
    others: tuple[Entity | None, ...] = (),
    edges: tuple[Edge, ...] = (),
) -> Event:
    """The Event of a row: about the asset first, then `others`."""
    known = found.sort == "vulnerability"
    told = ScanFinding(
        uid=digest(
            scan.tool, scan.asset.key, found.of, found.package, found.mark or found.place or ""
        ),
        title=found.title,
        state="resolved" if found.closed else "open",
        check=None if known else found.of,
        vulnerability=found.of if known else None,
        package=found.package,
        fixed_version=found.attributes.get("package.fixed_version"),
        location=found.place or None,
    )
    kept = {**found.attributes, "package.name": found.package, **_said(scan)}
    if known:
        kept |= {"vulnerability.id": found.of, "vulnerability.severity": found.severity}
    class_uid, class_name = _CLASSES[found.sort]
    return Event(
        uid=digest(scan.tool, scan.asset.key, scan.time, told.uid, evidence.sha256),
        time=scan.time,
        source=scan.source,
        class_uid=class_uid,
        class_name=class_name,
        activity="Close" if found.closed else "Create",
        severity=found.severity,
        message=found.title,
        entities=distinct((scan.asset, *others)),
        edges=edges,
        finding=told,
        attributes={key: value for key, value in kept.items() if value is not None},
        evidence=evidence,
    )


def scanned(
    scan: Scan,
    count: int,
    evidence: EventEvidence,
    *,
    status: Status = "success",
    others: tuple[Entity | None, ...] = (),
    edges: tuple[Edge, ...] = (),
    **said: Any,  # noqa: ANN401 - JSON
) -> Event:
    """The Event of the scan itself, with `count` findings; `said` are further attributes.

    With status success it closes the tool's findings on the asset that it did not name again.
    """
    kept = {"scan.findings": count} | _said(scan) | said
    ended = "scanned" if status == "success" else "failed to scan"
    return Event(
        uid=digest(scan.tool, scan.asset.key, scan.time, evidence.sha256),
        time=scan.time,
        source=scan.source,
        class_uid=6007,
        class_name="Scan Activity",
        activity="Completed" if status == "success" else "Error",
        status=status,
        message=f"{scan.tool} {ended} {scan.asset.id}: {count} findings",
        entities=distinct((scan.asset, *others)),
        edges=edges,
        attributes={key: value for key, value in kept.items() if value is not None},
        evidence=evidence,
    )


def level(*words: Json) -> Level:
    """The severity that the first known word says: a word of any scanner, or a CVSS score."""
    for word in words:
        known = text(word, 32)
        if known is not None and known.strip().lower() in _WORDS:
            return _WORDS[known.strip().lower()]
        score = number(word)
        if score is not None:
            return of_score(score)
    return "informational"


def measured(value: Json) -> float | None:
    """A number, also one that a tool writes as text: `0.00042`."""
    try:
        return number(float(value) if isinstance(value, str) else value)
    except ValueError:
        return None


def of_score(score: float) -> Level:
    """The severity of a CVSS base score."""
    for least, word in _SCORES:
        if score >= least:
            return word
    return "informational"


def _said(scan: Scan) -> dict[str, Json]:
    return {"scan.tool": scan.tool, "time.unknown": None if scan.time else True}
