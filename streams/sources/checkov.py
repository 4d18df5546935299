"""Checkov: which checks of infrastructure code, images and secrets pass and fail.

Read are JSON reports: one object, a list of them (one for each `check_type`), and the bare summary
of a run that had nothing to check. A passed or skipped check is a finding that is resolved.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

import msgspec

from schemas.detection import Logsource
from schemas.entity import Entity
from schemas.event import EventEvidence
from schemas.times import DAY
from streams.names.advisories import known
from streams.names.artifacts import UNNAMED, repository
from streams.records.untrusted import listing, mapping, number, slices, text
from streams.reports import scans
from streams.reports.scans import Found, Scan, finding, level
from streams.reports.whole import Ended, Whole, about, needed, whole
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "checkov"
TITLE: Final = "Checkov report"
LOGSOURCE: Final = Logsource(product="checkov")
LATENESS: Final = DAY  # a report comes when its pipeline has ended
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset(
    {"compliance_finding", "data_security_finding", "scan_activity", "vulnerability_finding"}
)
ATTRIBUTES: Final = scans.ATTRIBUTES | {"check.category"}
VERSIONS: Final = "1.0 and 2.0; 3.2 as documented"
GAPS: Final = (
    "A report has no time: it holds from 1970 on.",
    (
        "A report names a repository only where its tags do: findings of others are those of files "
        "without a name, which only a PASSED row closes."
    ),
    "Checkov says a severity only with a platform key; else a failed check is medium.",
)

_OWNER: Final = re.compile(rb'"git_org"\s{0,8}:\s{0,8}"([\w.-]{1,128})"')
_NAME: Final = re.compile(rb'"git_repo"\s{0,8}:\s{0,8}"([\w.-]{1,128})"')

State = Literal["failed", "passed", "skipped"]


class _Results(msgspec.Struct):
    passed: list[msgspec.Raw] | None = msgspec.field(default=None, name="passed_checks")
    failed: list[msgspec.Raw] | None = msgspec.field(default=None, name="failed_checks")
    skipped: list[msgspec.Raw] | None = msgspec.field(default=None, name="skipped_checks")
    errors: list[Json] | None = msgspec.field(default=None, name="parsing_errors")


class _Report(msgspec.Struct):
    check_type: str = ""
    results: _Results | None = None
    checkov_version: str | None = None  # of a bare summary


_ONE: Final = msgspec.json.Decoder(_Report)
_SEVERAL: Final = msgspec.json.Decoder(list[_Report])


class Context(NamedTuple):
    """What the report says of a check."""

    scan: Scan
    kind: str
    state: State


def sniff(head: bytes) -> bool:
    """A report has a type and its checks by how they ended; a summary has the tool's version."""
    return (b'"check_type"' in head and b'"passed_checks"' in head) or (
        b'"checkov_version"' in head and b'"resource_count"' in head
    )


def split(document: bytes) -> Iterator[Raw]:
    """The checks of all reports, failed ones first, and the scan where it failed."""
    if document.lstrip().startswith(b"["):
        reports = slices(document, _SEVERAL)
    else:
        reports = [slices(document, _ONE)]
    if any(one.results is None and one.checkov_version is None for one in reports):
        raise Unreadable("wrong-shape", "a report has `results`")
    return _raws(document, reports)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """One check on one resource, or the scan."""
    if isinstance(raw.context, Whole):
        return raw.context.event(evidence)
    context, said = about(raw.context, Context, record)
    return Parsed(finding(context.scan, _found(context, said), evidence), {})


def _raws(document: bytes, reports: list[_Report]) -> Iterator[Raw]:
    count, failed = 0, False
    scan = Scan(NAME, NAME, _asset(document), 0)
    for report in reports:
        results = report.results or _Results()
        failed |= bool(results.errors)  # what could not be parsed was not checked
        count += len(results.failed or ())
        rows: tuple[tuple[State, list[msgspec.Raw] | None], ...] = (
            ("failed", results.failed),
            ("passed", results.passed),
            ("skipped", results.skipped),
        )
        for state, checks in rows:
            context = Context(scan, report.check_type[:64], state)
            yield from (Raw(bytes(check), context) for check in checks or ())
    yield from whole(document, Ended(scan, count, failed))


def _asset(document: bytes) -> Entity:
    """The repository that the tags of a resource name; the report is about one."""
    owner, name = _OWNER.search(document), _NAME.search(document)
    if owner is None or name is None:
        return UNNAMED
    return repository(f"{owner[1].decode()}/{name[1].decode()}".lower()) or UNNAMED


def _found(context: Context, said: dict[str, Json]) -> Found:
    check = needed(said, "check_id", "bc_check_id")
    lines = listing(said.get("file_line_range"))
    path = text(said.get("repo_file_path"), 512) or text(said.get("file_path"), 512)
    resource = text(said.get("resource"), 256)
    place = [path, resource, text(lines[0], 16) if lines else None]
    if context.kind == "secrets":  # there the resource is a hash of the secret
        place, resource = [path, place[2]], None
    kept: dict[str, Json] = {
        "check.id": check,
        "check.resource": resource,
        "check.category": context.kind or None,
    }
    details = mapping(said.get("vulnerability_details"))
    name = known(details.get("id"))
    if name is not None:
        return _vulnerability(context, details, name.of, path, kept)
    return Found(
        sort="data" if context.kind == "secrets" else "compliance",
        of=check,
        title=text(said.get("check_name"), 512) or check,
        severity=level(said.get("severity") or "medium"),
        place=":".join(filter(None, place)),
        closed=context.state != "failed",
        attributes=kept | ({"secret.rule": check} if context.kind == "secrets" else {}),
    )


def _vulnerability(
    context: Context,
    details: dict[str, Json],
    of: str,
    path: str | None,
    kept: dict[str, Json],
) -> Found:
    package, version = text(details.get("package_name"), 256), text(details.get("package_version"))
    return Found(
        sort="vulnerability",
        of=of,
        title=f"{of} in {package} {version}",
        severity=level(details.get("severity"), number(details.get("cvss"))),
        package=package,
        place=path,
        closed=context.state != "failed",
        attributes=kept
        | {
            "vulnerability.cvss": number(details.get("cvss")),
            "package.version": version,
            "package.fixed_version": text(details.get("lowest_fixed_version"), 256),
        },
    )
