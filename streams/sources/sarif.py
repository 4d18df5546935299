"""SARIF: what a static analysis found in code, whichever tool ran it.

Read are logs of version 2.1.0, of one run or several. Each result is a record, then each run, which
closes what its tool does not find any more in that repository or image. A result that is
suppressed, absent since the baseline, or passed is resolved. A run that failed closes nothing; one
that is no run, such as one without the name of its tool, is rejected alone. What gitleaks found is
the finding that its JSON has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from schemas.detection import Logsource
from schemas.entity import Entity
from schemas.event import EventEvidence, Level
from schemas.times import DAY
from streams.names.advisories import named_in
from streams.names.artifacts import UNNAMED, container, repository
from streams.records.untrusted import listing, mapping, number, slices, text
from streams.reports import leaks, scans
from streams.reports.sarif import Rule, Rules, Words, software, words
from streams.reports.scans import Found, Scan, Sort, finding, level, of_score
from streams.reports.whole import Ended, Whole, about, dated, whole
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "sarif"
TITLE: Final = "SARIF log"
LOGSOURCE: Final = Logsource(product="sarif")
LATENESS: Final = DAY  # a report comes when its pipeline has ended
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset(
    {
        "application_security_posture_finding",
        "compliance_finding",
        "data_security_finding",
        "scan_activity",
        "vulnerability_finding",
    }
)
ATTRIBUTES: Final = scans.ATTRIBUTES | {
    "check.category",
    "check.cwe",
    "check.tags",
    "scan.category",
    "scan.version",
    "secret.commit",
    "vcs.revision",
}
VERSIONS: Final = "2.1.0"
GAPS: Final = (
    (
        "A run without versionControlProvenance names no repository: its findings are those of "
        "files without a name, and it closes nothing. Trivy's properties name its image. Gitleaks "
        "names the repository in the links of its JSON alone."
    ),
    "External property files, code flows, fixes and the bytes of artifacts are not read.",
)

_NO_RUNS: Final = re.compile(rb'"runs"\s{0,64}:\s{0,64}\[\s{0,64}\]')
_BOM: Final = b"\xef\xbb\xbf"
_LEVELS: Final[dict[str, Level]] = {
    "error": "high",
    "none": "informational",
    "note": "low",
    "warning": "medium",
}
_PASSED: Final = frozenset({"pass", "notapplicable"})
# What is neither a weakness of code nor a vulnerability is told by who found it.
_SECRETS: Final = frozenset({"detect-secrets", "gitleaks", "trufflehog", "whispers"})
_CHECKS: Final = frozenset(
    {"checkov", "kics", "kubescape", "prowler", "snyk iac", "terrascan", "tfsec"}
)


_NONE: Final = msgspec.Raw(b"null")


class _Driver(msgspec.Struct, rename="camel"):
    name: str = ""
    semantic_version: str | None = None
    version: str | None = None
    rules: Json = None


class _Tool(msgspec.Struct):
    driver: _Driver
    extensions: Json = None


class _Run(msgspec.Struct, rename="camel"):
    tool: _Tool
    results: msgspec.Raw = _NONE
    invocations: Json = None
    version_control_provenance: Json = None
    automation_details: Json = None
    properties: Json = None


class _Log(msgspec.Struct):
    version: str
    runs: list[msgspec.Raw] | None


_LOG: Final = msgspec.json.Decoder(_Log)
_RUN: Final = msgspec.json.Decoder(_Run)
_RESULTS: Final = msgspec.json.Decoder(list[msgspec.Raw] | None)


class Context(NamedTuple):
    """What a run says of all its results."""

    tool: str
    scan: Scan
    sort: Sort
    rules: Rules
    kept: dict[str, Json]


class Refused(NamedTuple):
    """Why a run is not read."""

    error: Unreadable


def sniff(head: bytes) -> bool:
    """A log has runs, of a tool with a driver or with results before it; or it has none."""
    if b'"runs"' in head and b'"tool"' in head and b'"driver"' in head:
        return True
    if b'"runs"' in head and b'"ruleId"' in head and b'"physicalLocation"' in head:
        return True
    return b'"2.1.0"' in head and _NO_RUNS.search(head) is not None


def split(document: bytes) -> Iterator[Raw]:
    """The results of a run, then the run, one run after the other."""
    document = document.removeprefix(_BOM)
    log = slices(document, _LOG)
    if not log.version.startswith("2.1"):
        raise Unreadable("wrong-shape", f"SARIF {log.version[:16]}, not 2.1.0")
    return _raws(document, log.runs or [])


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """One result, or the scan."""
    if isinstance(raw.context, Whole):
        return raw.context.event(evidence)
    if isinstance(raw.context, Refused):
        raise raw.context.error
    context, said = about(raw.context, Context, record)
    rule = context.rules.of(said)
    if context.tool == leaks.TOOL:
        return _leak(context, said, rule, evidence)
    place = words(said, rule)
    known = named_in(rule.id)
    secret = context.sort == "data"
    parts = software(place.message) if known else {}
    found = Found(
        sort="vulnerability" if known else context.sort,
        of=known or rule.id,
        title=_title(place, rule, quiet=secret or bool(parts)),
        severity=_severity(said, rule),
        package=parts.pop("package.name", None),
        place=place.where,
        mark=place.mark,
        closed=_closed(said),
        attributes={
            "check.id": rule.id,
            "check.tags": rule.tags or None,
            "check.cwe": rule.cwe or None,
            "check.category": rule.category,
            "secret.rule": rule.id if secret else None,
            "vulnerability.cvss": _score(said, rule) if known else None,
            **parts,
            **context.kept,
        },
    )
    return Parsed(finding(context.scan, found, evidence), {})


def _raws(document: bytes, runs: list[msgspec.Raw]) -> Iterator[Raw]:
    ended: dict[tuple[str, Entity], Ended] = {}
    for turn, data in enumerate(map(bytes, runs), 1):
        rows: list[msgspec.Raw] = []
        try:
            run = slices(data, _RUN)
            context, failed = _context(run)
        except Unreadable as error:
            yield Raw(data, _refused(turn, error))
            continue
        try:
            rows = slices(bytes(run.results), _RESULTS) or []
        except Unreadable as error:  # and what it found is not known to be gone
            failed = True
            yield Raw(data, _refused(turn, error))
        yield from (Raw(bytes(row), context) for row in rows)
        key = context.scan.tool, context.scan.asset
        before = ended.get(key, Ended(context.scan, 0))
        ended[key] = Ended(context.scan, before.found + len(rows), before.failed or failed)
    # Several runs of one tool over one repository are one scan of it.
    yield from whole(document, *ended.values())


def _refused(turn: int, error: Unreadable) -> Refused:
    return Refused(Unreadable(error.reason, f"run {turn} of the log: {error.detail}"))


def _context(run: _Run) -> tuple[Context, bool]:
    driver = run.tool.driver
    tool = driver.name.strip().lower()[:128]
    if not tool:
        raise Unreadable("wrong-shape", "a run has a tool whose driver has a name")
    category = _category(run.automation_details)
    calls = [mapping(one) for one in listing(run.invocations)]
    times = (one.get(key) for key in ("endTimeUtc", "startTimeUtc") for one in calls)
    source = mapping(next(iter(listing(run.version_control_provenance)), None))
    asset = repository(source.get("repositoryUri")) or _image(run.properties) or UNNAMED
    # GitHub's word for runs of one tool that look at different things, a language each: the one
    # says nothing of what the other found.
    scan = Scan(NAME, f"{tool}/{category}" if category else tool, asset, dated(*times))
    extensions = [mapping(one).get("rules") for one in listing(run.tool.extensions)]
    kept: dict[str, Json] = {
        "scan.category": category,
        "scan.version": text(driver.version, 64) or text(driver.semantic_version, 64),
        "vcs.revision": text(source.get("revisionId"), 64),
    }
    failed = any(one.get("executionSuccessful") is False for one in calls)
    return Context(tool, scan, _sort(tool), Rules(driver.rules, extensions), kept), failed


def _leak(context: Context, said: dict[str, Json], rule: Rule, evidence: EventEvidence) -> Parsed:
    """A secret that gitleaks found, in the repository of the run where it does not name one."""
    leak = leaks.of_sarif(said, rule)
    asset = context.scan.asset if context.scan.asset != UNNAMED else leak.asset
    scan = context.scan._replace(asset=asset, time=context.scan.time or leak.time)
    found = leaks.found(leak)
    found = found._replace(
        closed=_closed(said), attributes={**found.attributes, **context.kept, "check.id": rule.id}
    )
    return Parsed(finding(scan, found, evidence, others=(leaks.key(leak.secret),)), {})


def _sort(tool: str) -> Sort:
    if tool in _SECRETS:
        return "data"
    return "compliance" if tool in _CHECKS else "posture"


def _category(details: Json) -> str | None:
    """What stands before the last slash of the id; behind it is the run."""
    return (text(mapping(details).get("id"), 256) or "").rpartition("/")[0].strip("/") or None


def _image(properties: Json) -> Entity | None:
    told = mapping(properties)
    names = [told.get("imageName"), *listing(told.get("repoTags"))]
    return container(*names, digests=listing(told.get("repoDigests")))


def _closed(said: dict[str, Json]) -> bool:
    kind = (text(said.get("kind"), 32) or "").lower()
    taken = [mapping(one) for one in listing(said.get("suppressions"))]
    suppressed = any(text(one.get("status")) not in {"rejected", "underReview"} for one in taken)
    return suppressed or kind in _PASSED or text(said.get("baselineState")) == "absent"


def _score(said: dict[str, Json], rule: Rule) -> float | None:
    for told in (mapping(said.get("properties")), rule.properties):
        given = told.get("security-severity")
        try:
            score = number(float(given) if isinstance(given, str) else given)
        except ValueError:
            continue
        if score is not None and 0 <= score <= 10:
            return score
    return None


def _severity(said: dict[str, Json], rule: Rule) -> Level:
    score = _score(said, rule)
    if score is not None:
        return of_score(score)
    own = mapping(said.get("properties"))
    given = (own.get("severity"), own.get("issue_severity"), rule.properties.get("severity"))
    worded = [one for one in given if isinstance(one, str) and one.lower() not in _LEVELS]
    if worded:
        return level(*worded)
    return _LEVELS.get(text(said.get("level"), 16) or rule.level, "medium")


def _title(place: Words, rule: Rule, *, quiet: bool) -> str:
    """The message, or what the rule is about where the message quotes a secret or is a table."""
    told = rule.title if quiet else place.message.partition("\n")[0].strip() or rule.title
    return told[:512] or rule.id
