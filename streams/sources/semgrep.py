"""Semgrep: what its rules find in code, dependencies and secrets.

Read are the JSON of `semgrep scan`, and what the platform answers: findings of code and supply
chain, of secrets, and the older list of vulnerabilities. `semgrep --sarif` writes SARIF. Each
finding is a record; the last record of a scan that failed is the report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import msgspec

from schemas.detection import Logsource
from schemas.entity import Entity
from schemas.event import EventEvidence, Level
from schemas.times import DAY
from streams.names.advisories import fixed, known
from streams.names.artifacts import UNNAMED, repository
from streams.records.envelope import records
from streams.records.untrusted import listing, mapping, secret, slices, text
from streams.reports import scans
from streams.reports.sarif import numbers
from streams.reports.scans import Found, Scan, finding, level
from streams.reports.whole import Ended, Whole, dated, needed, whole
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "semgrep"
TITLE: Final = "Semgrep findings"
LOGSOURCE: Final = Logsource(product="semgrep")
LATENESS: Final = DAY  # a report comes when its pipeline has ended
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset(
    {
        "application_security_posture_finding",
        "data_security_finding",
        "scan_activity",
        "vulnerability_finding",
    }
)
ATTRIBUTES: Final = scans.ATTRIBUTES | {
    "check.category",
    "check.cwe",
    "check.status",
    "finding.mark",
    "package.ecosystem",
    "secret.verified",
}
VERSIONS: Final = "CLI 0.50 to 1.185, platform API v1"
GAPS: Final = (
    (
        "The JSON of a scan has no time and names no repository: its findings are those of files "
        "without a name, and close nothing. What the platform answers has both."
    ),
    "What the platform no longer lists stays open: only its states end a finding.",
)

_ENDED: Final = frozenset({"closed", "fixed", "ignored", "muted", "removed", "resolved"})
_LEVELS: Final[dict[str, Level]] = {"error": "high", "info": "low", "warning": "medium"}


class _Scan(msgspec.Struct):
    results: list[msgspec.Raw]
    errors: Json = None


_SCAN: Final = msgspec.json.Decoder(_Scan)


class _Row(NamedTuple):
    """What all forms say of a finding, besides what was found."""

    asset: Entity
    time: int
    closed: bool


def sniff(head: bytes) -> bool:
    """Results have a check and more about it; what the platform answers has words of its own."""
    return (
        (b'"results"' in head and b'"check_id"' in head and b'"extra"' in head)
        or (b'"results"' in head and b'"paths"' in head and b'"scanned"' in head)
        or (b'"findings"' in head and b'"rule_name"' in head and b'"repository"' in head)
        or (b'"findingPath"' in head and b'"ruleHashId"' in head)
        or (b'"vulns"' in head and b'"dependencyFileLocation"' in head)
    )


def split(document: bytes) -> Iterator[Raw]:
    """The findings of a document, in its order."""
    if b'"results"' not in document:
        return records(document, "findings", "vulns")
    told = slices(document, _SCAN)
    # A warning is of a file that a rule could not read; an error of a rule or a scan that broke.
    errors = [mapping(one) for one in listing(told.errors)]
    failed = any(text(one.get("level"), 16) == "error" for one in errors)
    ended = Ended(Scan(NAME, NAME, UNNAMED, 0), len(told.results), failed)
    return _raws(document, told.results, ended)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """One finding, or the scan that failed."""
    if isinstance(raw.context, Whole):
        return raw.context.event(evidence)
    said = mapping(record)
    read = next((read for key, read in _FORMS.items() if key in said), None)
    if read is None:
        raise Unreadable("wrong-shape", "a finding has a rule and a place")
    row, found = read(said)
    told = found._replace(closed=row.closed)
    return Parsed(finding(Scan(NAME, NAME, row.asset, row.time), told, evidence), {})


def _raws(document: bytes, results: list[msgspec.Raw], ended: Ended) -> Iterator[Raw]:
    yield from (Raw(bytes(one)) for one in results)
    yield from whole(document, ended)


def _scanned(said: dict[str, Json]) -> tuple[_Row, Found]:
    """A result of the command line. The lines that it quotes stay unread."""
    of, extra = needed(said, "check_id"), mapping(said.get("extra"))
    path, line = text(said.get("path"), 512), text(mapping(said.get("start")).get("line"), 16)
    mark = text(extra.get("fingerprint"), 256)
    about = mapping(extra.get("metadata"))
    row = _Row(UNNAMED, 0, extra.get("is_ignored") is True)
    # Of a dependency it says which one, and what is wrong with it.
    needs = mapping(mapping(extra.get("sca_info")).get("dependency_match"))
    needs = mapping(needs.get("found_dependency"))
    name = known(about.get("sca-vuln-database-identifier"))
    return row, Found(
        sort="vulnerability" if name else "posture",
        of=name.of if name else of,
        title=_title(extra.get("message"), of),
        severity=_severity(about.get("sca-severity") or extra.get("severity")),
        package=text(needs.get("package"), 256),
        place=":".join(filter(None, (path, line))),
        mark=None if mark == "requires login" else mark,
        attributes={
            "check.id": of,
            "check.category": text(about.get("category"), 64),
            "check.cwe": numbers(about.get("cwe")) or None,
            "finding.mark": mark,
            "package.version": text(needs.get("version"), 256),
            "package.ecosystem": text(needs.get("ecosystem"), 64),
        },
    )


def _answered(said: dict[str, Json]) -> tuple[_Row, Found]:
    """A finding of the platform, in code or in a dependency."""
    of, rule = needed(said, "rule_name"), mapping(said.get("rule"))
    where = mapping(said.get("location"))
    path, line = text(where.get("file_path"), 512), text(where.get("line"), 16)
    state = text(said.get("status"), 32) or text(said.get("state"), 32)
    closed = state in _ENDED
    row = _Row(
        _repository(said),
        dated(said.get("state_updated_at") if closed else None, said.get("created_at")),
        closed,
    )
    mark = text(said.get("match_based_id"), 256)
    needs = mapping(said.get("found_dependency"))
    name = known(said.get("vulnerability_identifier"))
    fixes = [mapping(one).get("version") for one in listing(said.get("fix_recommendations"))]
    return row, Found(
        sort="vulnerability" if name else "posture",
        of=name.of if name else of,
        title=_title(said.get("rule_message"), of),
        severity=level(said.get("severity")),
        package=text(needs.get("package"), 256),
        place=":".join(filter(None, (path, line))),
        mark=mark,
        attributes={
            "check.id": of,
            "check.category": text(rule.get("category"), 64),
            "check.cwe": numbers(rule.get("cwe_names")) or None,
            "check.status": state,
            "finding.mark": mark,
            "package.version": text(needs.get("version"), 256),
            "package.ecosystem": text(needs.get("ecosystem"), 64),
            "package.fixed_version": fixed(fixes) if name else None,
        },
    )


def _leaked(said: dict[str, Json]) -> tuple[_Row, Found]:
    """A secret that the platform found."""
    of = needed(said, "type", "ruleHashId")
    state = (text(said.get("status"), 64) or "").removeprefix("FINDING_STATUS_").lower()
    closed = state in _ENDED
    times = (said.get("updatedAt") if closed else None, said.get("createdAt"))
    row = _Row(_repository(said), dated(*times), closed)
    word = (text(said.get("severity"), 32) or "").removeprefix("SEVERITY_")
    valid = text(said.get("validationState"), 64) == "VALIDATION_STATE_CONFIRMED_VALID"
    return row, Found(
        sort="data",
        of=of,
        title=f"{of} secret",
        severity=level(word),
        place=text(said.get("findingPath"), 512),
        mark=text(said.get("id"), 64),
        attributes={
            "secret.rule": of,
            "secret.verified": valid,
            "check.status": state or None,
            "finding.mark": text(said.get("id"), 64),
        },
    )


def _vulnerable(said: dict[str, Json]) -> tuple[_Row, Found]:
    """A vulnerability of the older list."""
    advisory, triage = mapping(said.get("advisory")), mapping(said.get("triage"))
    of = needed(advisory, "ruleId")
    name = known(*listing(mapping(advisory.get("references")).get("cveIds")), of)
    needs, where = (
        mapping(said.get("matchedDependency")),
        mapping(said.get("dependencyFileLocation")),
    )
    state = (text(triage.get("status"), 32) or "").lower()
    row = _Row(
        repository(said.get("repositoryName")) or UNNAMED,
        dated(said.get("openedAt")),
        state in _ENDED,
    )
    path, line = text(where.get("path"), 512), text(where.get("startLine"), 16)
    return row, Found(
        sort="vulnerability",
        of=name.of if name else of,
        title=text(said.get("title"), 512) or of,
        severity=level(advisory.get("severity")),
        package=text(needs.get("name"), 256),
        place=":".join(filter(None, (path, line))),
        attributes={
            "check.id": of,
            "check.status": state or None,
            "vulnerability.aliases": name.aliases if name else None,
            "package.version": text(needs.get("versionSpecifier"), 256),
            "package.ecosystem": text(advisory.get("ecosystem"), 64),
            "package.fixed_version": text(
                mapping(said.get("closestSafeDependency")).get("versionSpecifier"), 256
            ),
        },
    )


# A key that only this form has, and how it is read.
_FORMS: Final[dict[str, Callable[[dict[str, Json]], tuple[_Row, Found]]]] = {
    "check_id": _scanned,
    "rule_name": _answered,
    "findingPath": _leaked,
    "advisory": _vulnerable,
}


def _repository(said: dict[str, Json]) -> Entity:
    told = mapping(said.get("repository"))
    return repository(told.get("url")) or repository(told.get("name")) or UNNAMED


def _severity(word: Json) -> Level:
    """ERROR, WARNING and INFO of the command line, or one of the five words of newer rules."""
    known_ = (text(word, 32) or "").lower()
    return _LEVELS.get(known_) or level(known_)


def _title(message: Json, of: str) -> str:
    """The first line of what the rule says, unless that might quote a secret."""
    said = (text(message) or "").strip().partition("\n")[0][:512]
    return said if said and not secret(said) else of
