"""Snyk: the vulnerable packages, licences and misconfigurations of a project or image.

Read is the JSON of `snyk test`, `snyk container test` and `snyk iac test`: one project or a list of
them. `snyk code` writes SARIF. Each issue, and each that a policy ignores, is a record, then the
project, which closes what is not found there any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

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
from streams.reports.whole import Ended, Whole, about, empty, needed, whole
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "snyk"
TITLE: Final = "Snyk test report"
LOGSOURCE: Final = Logsource(product="snyk")
LATENESS: Final = DAY  # a report comes when its pipeline has ended
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset({"compliance_finding", "scan_activity", "vulnerability_finding"})
ATTRIBUTES: Final = scans.ATTRIBUTES | {"license.name", "package.path"}
VERSIONS: Final = "the CLI of 2022 and 2023; what came since as documented"
GAPS: Final = (
    "A report has no time: it holds from 1970 on.",
    "A project without the address of its repository goes by its project name.",
    "A report that is nothing but an error is not known by its content: name the source.",
)

Topic = Literal["vulnerability", "ignored", "misconfiguration"]


class _Filtered(msgspec.Struct):
    ignore: list[msgspec.Raw] | None = None


class _Project(msgspec.Struct, rename="camel"):
    vulnerabilities: list[msgspec.Raw] | None = None
    infrastructure_as_code_issues: list[msgspec.Raw] | None = None
    filtered: _Filtered | None = None
    docker: Json = None
    applications: list[_Project] | None = None  # inside an image
    project_name: str | None = None
    remote_repo_url: str | None = None
    target_file: str | None = None
    display_target_file: str | None = None
    path: str | None = None
    error: Json = None


# An application inside an image is scanned with it: of both there is one asset.
_ONE: Final = msgspec.json.Decoder(_Project)
_SEVERAL: Final = msgspec.json.Decoder(list[_Project])


class Context(NamedTuple):
    """The project in which an issue was found."""

    scan: Scan
    topic: Topic
    file: str | None


def sniff(head: bytes) -> bool:
    """A project has packages with paths that lead to them, or issues of infrastructure code."""
    return b'"infrastructureAsCodeIssues"' in head or (
        b'"vulnerabilities"' in head
        and (
            (b'"dependencyCount"' in head and b'"packageManager"' in head)
            or (b'"SNYK-' in head and b'"packageName"' in head)
            or (b'"upgradePath"' in head and b'"isUpgradable"' in head)
        )
    )


def split(document: bytes) -> Iterator[Raw]:
    """The issues of a project, then the project, one project after the other."""
    if empty(document):
        return iter(())
    if document.lstrip().startswith(b"["):
        projects = slices(document, _SEVERAL)
    else:
        projects = [slices(document, _ONE)]
    for one in projects:
        whole_ = (one.vulnerabilities, one.infrastructure_as_code_issues, one.error)
        if all(part is None for part in whole_):
            raise Unreadable("wrong-shape", "a project has `vulnerabilities`")
    inside = [
        msgspec.structs.replace(part, docker=one.docker or {}, path=one.path)
        for one in projects
        for part in one.applications or ()
    ]
    return _raws(document, [*projects, *inside])


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """One issue, or the scan of a project."""
    if isinstance(raw.context, Whole):
        return raw.context.event(evidence)
    context, said = about(raw.context, Context, record)
    if context.topic == "misconfiguration":
        found = _misconfiguration(context, said)
    elif text(said.get("type")) == "license":
        found = _license(context, said)
    else:
        found = _vulnerability(context, said)
    return Parsed(finding(context.scan, found, evidence), {})


def _raws(document: bytes, projects: list[_Project]) -> Iterator[Raw]:
    counts: dict[Entity, tuple[int, bool]] = {}
    for project in projects:
        scan = Scan(NAME, NAME, _asset(project), 0)
        file = project.display_target_file or project.target_file
        rows = project.vulnerabilities or []
        issues = project.infrastructure_as_code_issues or []
        ignored = (project.filtered or _Filtered()).ignore or []
        for topic, several in _topics(rows, issues, ignored):
            context = Context(scan, topic, file)
            yield from (Raw(bytes(row), context) for row in several)
        count, failed = counts.get(scan.asset, (0, False))
        failed |= project.error is not None
        counts[scan.asset] = count + len(rows) + len(issues), failed
    # Several files of one repository are one scan of it.
    ends = [Ended(Scan(NAME, NAME, asset, 0), *count) for asset, count in counts.items()]
    yield from whole(document, *ends)


def _topics(
    rows: list[msgspec.Raw], issues: list[msgspec.Raw], ignored: list[msgspec.Raw]
) -> Iterator[tuple[Topic, list[msgspec.Raw]]]:
    yield "vulnerability", rows
    yield "misconfiguration", issues
    yield "ignored", ignored


def _asset(project: _Project) -> Entity:
    if project.docker is not None:
        digest = mapping(project.docker).get("imageDigest")
        return container(project.path, project.project_name, digests=[digest]) or UNNAMED
    names = (project.remote_repo_url, project.project_name, project.path)
    return next((found for name in names if (found := repository(name))), UNNAMED)


def _vulnerability(context: Context, said: dict[str, Json]) -> Found:
    identifiers = mapping(said.get("identifiers"))
    others = [listing(identifiers.get(key)) for key in ("CVE", "GHSA", "ALTERNATIVE")]
    name = known(needed(said, "id"), *(one for several in others for one in several))
    if name is None:
        raise Unreadable("wrong-shape", "an issue has an id")
    package = text(said.get("packageName"), 256) or text(said.get("name"), 256)
    score = number(said.get("cvssScore"))
    epss = mapping(said.get("epssDetails")).get("probability")
    fixes = listing(said.get("fixedIn")) or [said.get("nearestFixedInVersion")]
    return Found(
        sort="vulnerability",
        of=name.of,
        title=text(said.get("title"), 512) or name.of,
        severity=level(said.get("severityWithCritical"), said.get("severity"), score),
        package=package,
        place=context.file,
        closed=context.topic == "ignored",
        attributes={
            "vulnerability.aliases": name.aliases,
            "vulnerability.cvss": score,
            "vulnerability.epss": measured(epss),
            "package.version": text(said.get("version"), 256),
            "package.fixed_version": fixed(fixes),
            "package.path": [step for one in listing(said.get("from"))[:32] if (step := text(one))]
            or None,
        },
    )


def _license(context: Context, said: dict[str, Json]) -> Found:
    of = needed(said, "id")
    package = text(said.get("packageName"), 256) or text(said.get("name"), 256)
    return Found(
        sort="compliance",
        of=of,
        title=f"{text(said.get('title'), 256) or of} of {package}",
        severity=level(said.get("severity")),
        package=package,
        place=context.file,
        closed=context.topic == "ignored",
        attributes={
            "check.id": of,
            "license.name": text(said.get("license"), 128),
            "package.version": text(said.get("version"), 256),
        },
    )


def _misconfiguration(context: Context, said: dict[str, Json]) -> Found:
    of = needed(said, "id", "publicId")
    path = [one for step in listing(said.get("path"))[:32] if (one := text(step, 128))]
    named = path[1:] if path[:1] == ["resource"] else path  # of Terraform
    return Found(
        sort="compliance",
        of=of,
        title=text(said.get("title"), 512) or of,
        severity=level(said.get("severity")),
        place=":".join(filter(None, (context.file, ".".join(path)[:512]))),
        closed=said.get("isIgnored") is True,
        attributes={"check.id": of, "check.resource": named[0] if named else None},
    )
