"""Trivy: the findings of one scan, and the scan itself, which closes what it no longer finds.

Read are JSON reports of schema version 2. Each vulnerability, misconfiguration, secret and licence
is a record; the last record is the whole report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Literal, NamedTuple

import msgspec

from schemas.detection import Logsource
from schemas.entity import MAX_ID, Entity, Kind, image
from schemas.event import EventEvidence
from schemas.times import DAY
from streams import scans
from streams.scans import Found, Scan, Sort, finding, level, scanned
from streams.source import Json, Narrow, Parsed, Raw, Unreadable
from streams.untrusted import mapping, moment, number, slices, text

NAME: Final = "trivy"
TITLE: Final = "Trivy report"
LOGSOURCE: Final = Logsource(product="trivy")
LATENESS: Final = DAY  # a report comes when its pipeline has ended
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset(
    {
        "compliance_finding",
        "data_security_finding",
        "scan_activity",
        "vulnerability_finding",
    }
)
ATTRIBUTES: Final = scans.ATTRIBUTES | {"license.category", "license.name"}

_KINDS: Final[dict[str, Kind]] = {
    "aws_account": "account",
    "container_image": "image",
    "vm": "host",
}  # every other artifact is files: a repository, a folder, a bill of materials
_CLOSED: Final = frozenset({"PASS", "EXCEPTION", "not_affected"})

Topic = Literal["Vulnerabilities", "Misconfigurations", "Secrets", "Licenses"]
_Found = tuple[Topic, str, list[msgspec.Raw]]
_SORTS: Final[dict[Topic, Sort]] = {
    "Vulnerabilities": "vulnerability",
    "Misconfigurations": "compliance",
    "Secrets": "data",
    "Licenses": "compliance",
}


class _Result(msgspec.Struct, rename="pascal"):
    target: str = ""
    vulnerabilities: list[msgspec.Raw] | None = None
    misconfigurations: list[msgspec.Raw] | None = None
    secrets: list[msgspec.Raw] | None = None
    licenses: list[msgspec.Raw] | None = None

    def found(self) -> Iterator[_Found]:
        target = self.target[:512]
        yield "Vulnerabilities", target, self.vulnerabilities or []
        yield "Misconfigurations", target, self.misconfigurations or []
        yield "Secrets", target, self.secrets or []
        yield "Licenses", target, self.licenses or []


class _Metadata(msgspec.Struct):
    digests: list[str] | None = msgspec.field(default=None, name="RepoDigests")
    tags: list[str] | None = msgspec.field(default=None, name="RepoTags")
    image: str = msgspec.field(default="", name="ImageID")


class _Report(msgspec.Struct, rename="pascal"):
    schema_version: int
    created_at: str = ""
    artifact_name: str = ""
    artifact_type: str = ""
    metadata: _Metadata | None = None
    results: list[_Result] | None = None


_REPORT: Final = msgspec.json.Decoder(_Report)


class Context(NamedTuple):
    """Where in a report a finding stands, or without a topic how many the scan found."""

    scan: Scan
    topic: Topic | None = None
    target: str = ""
    found: int = 0


class Row(NamedTuple):
    """What one finding says, whatever its topic. `of` is what was found: the CVE, check or rule."""

    of: str
    title: str
    package: str | None
    place: tuple[str | None, ...]
    attributes: dict[str, Json]


def sniff(head: bytes) -> bool:
    """A report names its artifact, early."""
    return b'"ArtifactName"' in head and (
        b'"SchemaVersion"' in head or b'"ArtifactType"' in head or b'"Results"' in head
    )


def split(document: bytes) -> Iterator[Raw]:
    """The findings of a report, in its order, and the report."""
    report = slices(document, _REPORT)
    if report.schema_version != 2:
        raise Unreadable("wrong-shape", f"schema version {report.schema_version}, not 2")
    found = [row for result in report.results or () for row in result.found()]
    # Before 0.49 Trivy did not say when: that holds from the beginning, as an undated bill does.
    time = moment(report.created_at) if report.created_at else 0
    scan = Scan(NAME, NAME, _asset(report), time)
    return _raws(document, scan, found)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """One finding, or the scan."""
    context = raw.context
    if not isinstance(context, Context) or not isinstance(record, dict):
        raise Unreadable("wrong-shape", "a finding is an object inside a report")
    said, scan, topic = mapping(record), context.scan, context.topic
    if topic is None:
        return Parsed(scanned(scan, context.found, evidence), {})
    row = _ROWS[topic](said)
    found = Found(
        sort=_SORTS[topic],
        of=row.of,
        title=row.title,
        severity=level(said.get("Severity")),
        package=row.package,
        place=":".join(filter(None, (context.target, *row.place))),
        closed=text(said.get("Status")) in _CLOSED,
        attributes=row.attributes,
    )
    return Parsed(finding(scan, found, evidence), {})


def _raws(document: bytes, scan: Scan, found: list[_Found]) -> Iterator[Raw]:
    for topic, target, rows in found:
        context = Context(scan, topic, target)
        yield from (Raw(bytes(row), context) for row in rows)
    yield Raw(document, Context(scan, found=sum(len(rows) for _, _, rows in found)))


def _asset(report: _Report) -> Entity:
    data = report.metadata or _Metadata()
    kind = _KINDS.get(report.artifact_type, "repo")
    names = [report.artifact_name]
    if kind == "image":
        names = [*(data.digests or ())[:1], *names, *(data.tags or ())[:1], data.image]
    name = next((name for name in names if text(name)), None)
    if name is None:
        raise Unreadable("wrong-shape", "the report names no artifact")
    return image(name) if kind == "image" else Entity(kind=kind, id=name[:MAX_ID])


def _vulnerability(said: dict[str, Json]) -> Row:
    of = _named(said, "VulnerabilityID")
    package = text(said.get("PkgName"), 256)
    version = text(said.get("InstalledVersion"), 256)
    return Row(
        of,
        _title(said, f"{of} in {package} {version}"),
        package,
        (text(said.get("PkgPath"), 512),),
        {
            "vulnerability.cvss": _cvss(said.get("CVSS")),
            "package.version": version,
            "package.fixed_version": text(said.get("FixedVersion"), 256),
            "package.purl": text(mapping(said.get("PkgIdentifier")).get("PURL"), 512),
        },
    )


def _misconfiguration(said: dict[str, Json]) -> Row:
    of = _named(said, "ID", "AVDID")
    cause = mapping(said.get("CauseMetadata"))
    resource = text(cause.get("Resource"), 256)
    place = (resource, text(cause.get("StartLine"), 16))
    return Row(of, _title(said, of), None, place, {"check.id": of, "check.resource": resource})


def _secret(said: dict[str, Json]) -> Row:
    """Where a secret lies and of which sort it is. Itself, and the lines about it, stay unread."""
    of = _named(said, "RuleID")
    category = text(said.get("Category"), 128)
    place = (text(said.get("StartLine"), 16),)
    return Row(of, _title(said, of), None, place, {"secret.rule": of, "secret.category": category})


def _license(said: dict[str, Json]) -> Row:
    of = _named(said, "Name")
    package = text(said.get("PkgName"), 256)
    category = text(said.get("Category"), 128)
    return Row(
        of,
        f"{of} licence of {package or 'a file'}",
        package,
        (text(said.get("FilePath"), 512),),
        {"license.name": of, "license.category": category},
    )


_ROWS: Final[dict[Topic, Callable[[dict[str, Json]], Row]]] = {
    "Vulnerabilities": _vulnerability,
    "Misconfigurations": _misconfiguration,
    "Secrets": _secret,
    "Licenses": _license,
}


def _named(said: dict[str, Json], *keys: str) -> str:
    of = next((found for key in keys if (found := text(said.get(key), 256))), None)
    if of is None:
        raise Unreadable("wrong-shape", f"a finding has {keys[0]}")
    return of


def _title(said: dict[str, Json], otherwise: str) -> str:
    return text(said.get("Title"), 512) or otherwise


def _cvss(scores: Json) -> float | None:
    """The highest base score that anyone gave, of version 2 only where nobody gave a newer one."""
    given = [mapping(one) for one in mapping(scores).values()]
    new = [number(one.get(key)) for one in given for key in ("V3Score", "V40Score")]
    old = [number(one.get("V2Score")) for one in given]
    known = [score for score in new if score] or [score for score in old if score]
    return max(known, default=None)
