"""GitHub alerts: what Dependabot, secret scanning and code scanning found in a repository.

Read are alerts as the REST API lists them, of one repository or of all, payloads of webhooks, and
the alerts of Dependabot as GraphQL answers. An alert that is fixed, resolved or dismissed closes
its finding, one that is opened again opens it. Where a secret lies is read; the secret itself only
as a fingerprint, with `[privacy] key`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from schemas.detection import Logsource
from schemas.entity import Entity
from schemas.event import EventEvidence, Level
from schemas.times import DAY
from streams.names.advisories import known, named_in
from streams.names.purls import written
from streams.records.envelope import records
from streams.records.untrusted import listing, mapping, secret, text
from streams.reports import github, leaks, scans
from streams.reports.sarif import numbers, software
from streams.reports.scans import Found, Scan, finding, level, measured
from streams.reports.whole import dated, empty, needed
from streams.source import Json, Narrow, Parsed, Raw, Unreadable
from streams.telemetry.content import LEAKED

NAME: Final = "github_alerts"
TITLE: Final = "GitHub security alerts"
LOGSOURCE: Final = Logsource(product="github", service="alerts")
LATENESS: Final = DAY  # lists are fetched now and then
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset(
    {"application_security_posture_finding", "data_security_finding", "vulnerability_finding"}
)
ATTRIBUTES: Final = scans.ATTRIBUTES | frozenset(
    """
    check.cwe check.resolution check.status check.tags finding.mark package.ecosystem package.scope
    scan.category scan.version secret.fingerprint secret.public secret.value secret.verified
    vcs.revision
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
VERSIONS: Final = "REST API and webhooks 2022-11-28; GraphQL v4 as of 2026"
GAPS: Final = (
    "A dismissal closes GitHub's own finding; it is no VEX statement against other scanners.",
    "An open alert has the time of its last change: no list says when it was opened again.",
    "Alerts of Dependabot name the range that is vulnerable; the version in use GraphQL alone.",
    "The older event `repository_vulnerability_alert` is not read.",
    "Lists that follow each other in one file with nothing between are rejected: `gh api --slurp`.",
)

_ENDED: Final = frozenset({"auto_dismissed", "closed", "dismissed", "fixed", "resolved"})
_ENDING: Final = {"closed_by_user": "dismissed", **{one: one for one in _ENDED}}
_ENDS: Final = ("fixed_at", "dismissed_at", "auto_dismissed_at", "resolved_at")
_WHY: Final = ("resolution", "dismissed_reason", "dismiss_reason")
_LEVELS: Final[dict[str, Level]] = {"error": "high", "note": "low", "warning": "medium"}


class Alert(NamedTuple):
    """What all sorts of alerts say, besides what was found. `fields` has the names of REST."""

    fields: dict[str, Json]
    asset: Entity
    state: str
    time: int
    kept: dict[str, Json]

    def event(
        self, tool: str, found: Found, evidence: EventEvidence, key: Entity | None = None
    ) -> Parsed:
        """The alert as a finding, which goes by its number."""
        number, id_ = text(self.fields.get("number"), 32), text(self.fields.get("id"), 128)
        told = found._replace(
            mark=number or (None if found.place else id_),
            closed=self.state in _ENDED,
            attributes={**self.kept, **found.attributes},
        )
        scan = Scan(NAME, tool, self.asset, self.time)
        return Parsed(finding(scan, told, evidence, others=(key,)), {})


def sniff(head: bytes) -> bool:
    """An alert of each kind has two keys that no other format has together."""
    return (
        (b'"security_advisory"' in head and b'"security_vulnerability"' in head)
        or (b'"secret_type"' in head and (b'"resolution"' in head or b'"locations_url"' in head))
        or (b'"most_recent_instance"' in head and b'"rule"' in head)
        or (b'"analysis_key"' in head and b'"rule"' in head and b'"alert"' in head)
        or github.MARK in head
    )


def split(document: bytes) -> Iterator[Raw]:
    """The alerts of a list, of pages of lists, of an answer, or the one of a webhook."""
    if empty(document):
        return iter(())
    if github.MARK in document:
        return iter(github.answered(document))
    found = [raw.data for raw in records(document)]
    pages = [page for one in found for page in (records(one) if one[:1] == b"[" else [Raw(one)])]
    return iter(pages)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """One alert, alone or in the payload of a webhook."""
    said = mapping(record)
    fields = mapping(said.get("alert")) or said
    if isinstance(raw.context, Entity):
        fields = mapping(github.renamed(said))
    read = next((read for key, read in _SORTS.items() if key in fields), None)
    if read is None:
        raise Unreadable(
            "wrong-shape", "an alert has `security_vulnerability`, `secret_type` or `rule`"
        )
    state = _state(fields, text(said.get("action"), 64) or "")
    ended = [f"{state}_at", *_ENDS] if state in _ENDED else []
    alert = Alert(
        fields,
        raw.context if isinstance(raw.context, Entity) else github.asset(fields, said),
        state,
        dated(*(fields.get(key) for key in (*ended, "updated_at", "created_at"))),
        {
            "check.status": state,
            "check.resolution": next(filter(None, (_small(fields.get(key)) for key in _WHY)), None),
            "finding.mark": text(fields.get("number"), 32),
        },
    )
    return read(alert, said, evidence)


def _state(fields: dict[str, Json], action: str) -> str:
    """The alert's own word, else what was done to it, else what it says of its end."""
    given = text(fields.get("state"), 32)
    if given is not None:
        return given.lower()
    if action in _ENDING:
        return _ENDING[action]
    ends = (key.removesuffix("_at") for key in _ENDS if text(fields.get(key), 64))
    return "open" if action else next(ends, "open")


def _vulnerable(alert: Alert, _: dict[str, Json], evidence: EventEvidence) -> Parsed:
    """An alert of Dependabot: a dependency in a manifest."""
    fields = alert.fields
    range_ = mapping(fields.get("security_vulnerability"))
    advisory = mapping(fields.get("security_advisory")) or mapping(range_.get("advisory"))
    needs = mapping(fields.get("dependency"))
    package = mapping(needs.get("package")) or mapping(range_.get("package"))
    others = [mapping(one).get("value") for one in listing(advisory.get("identifiers"))]
    ghsa = next((one for one in (advisory.get("ghsa_id"), *others) if _is_ghsa(one)), None)
    name = known(advisory.get("cve_id"), ghsa, *others)
    if name is None:
        raise Unreadable("wrong-shape", "an advisory has a `ghsa_id` or `cve_id`")
    # A CVE is assigned later, and the alert is still the same.
    of = text(ghsa, 64) or name.of
    names = [one for one in (name.of, *(name.aliases or ())) if one != of]
    score = _score(advisory)
    software_, version = (
        text(package.get("name"), 256),
        text(fields.get("vulnerable_requirements"), 256),
    )
    exact = version.removeprefix("=").strip() if version and version.startswith("=") else None
    path = text(needs.get("manifest_path") or fields.get("vulnerable_manifest_path"), 512)
    found = Found(
        sort="vulnerability",
        of=of,
        title=text(advisory.get("summary"), 512) or f"{of} in {software_}",
        severity=level(range_.get("severity"), advisory.get("severity"), score),
        package=software_,
        place=path,
        attributes={
            "check.cwe": numbers(_cwes(advisory)) or None,
            "package.ecosystem": _small(package.get("ecosystem")),
            "package.fixed_version": _patched(range_.get("first_patched_version")),
            "package.purl": written(package.get("ecosystem"), software_, exact),
            "package.scope": _small(needs.get("scope") or fields.get("dependency_scope")),
            "package.version": exact,
            "vulnerability.aliases": names or None,
            "vulnerability.cvss": score,
            "vulnerability.epss": _epss(advisory.get("epss")),
        },
    )
    return alert.event("dependabot", found, evidence)


def _leaked(alert: Alert, said: dict[str, Json], evidence: EventEvidence) -> Parsed:
    """An alert of secret scanning. The secret goes no further than to its fingerprint."""
    fields = alert.fields
    of, value = needed(fields, "secret_type"), text(fields.get("secret"))
    # A webhook may tell of one place more.
    where = mapping(fields.get("first_location_detected"))
    where = where or mapping(mapping(said.get("location")).get("details"))
    valid, public = text(fields.get("validity"), 32), fields.get("publicly_leaked") is True
    severity: Level = "critical" if public or valid == "active" else "high"
    found = Found(
        sort="data",
        of=of,
        title=text(fields.get("secret_type_display_name"), 256) or of,
        severity="medium" if valid == "inactive" else severity,
        place=_line(where),
        attributes={
            "secret.public": public or None,
            "secret.rule": of,
            "secret.verified": {"active": True, "inactive": False}.get(valid or ""),
        },
    )
    told = alert.event("secret-scanning", found, evidence, leaks.key(value))
    return Parsed(told.event, {LEAKED: value} if value else {})


def _scanned(alert: Alert, _: dict[str, Json], evidence: EventEvidence) -> Parsed:
    """An alert of code scanning: what a tool found, as SARIF said it."""
    fields = alert.fields
    rule, tool = mapping(fields.get("rule")), mapping(fields.get("tool"))
    shown = mapping(fields.get("most_recent_instance"))
    shown = shown or mapping(next(iter(listing(fields.get("instances"))), None))
    of, name = needed(rule, "id", "name"), (text(tool.get("name"), 128) or "unnamed").lower()
    message = text(mapping(shown.get("message")).get("text")) or ""
    weakness, parts = named_in(of), software(message)
    quiet = secret(message) or bool(parts)
    title = text("" if quiet else message.partition("\n")[0].strip(), 512)
    tags = [tag for one in listing(rule.get("tags"))[:32] if (tag := text(one, 64))]
    word = (text(rule.get("severity"), 32) or "").lower()
    found = Found(
        sort="vulnerability" if weakness else "posture",
        of=weakness or of,
        title=title or text(rule.get("description"), 512) or of,
        severity=level(rule.get("security_severity_level") or _LEVELS.get(word) or word),
        package=text(parts.pop("package.name", None), 256),
        place=_line(mapping(shown.get("location"))),
        attributes={
            "check.cwe": numbers(tags) or None,
            "check.id": of,
            "check.tags": tags or None,
            "scan.category": text(shown.get("category"), 256),
            "scan.version": text(tool.get("version"), 64),
            "vcs.revision": text(shown.get("commit_sha"), 64),
            **(parts if weakness else {}),
        },
    )
    # Runs of the tool that are read as SARIF close what they know, not what GitHub keeps of it.
    return alert.event(f"code-scanning/{name}", found, evidence)


# A key that only this sort of alert has, and how it is read.
_SORTS: Final[dict[str, Callable[[Alert, dict[str, Json], EventEvidence], Parsed]]] = {
    "security_vulnerability": _vulnerable,
    "secret_type": _leaked,
    "rule": _scanned,
}


def _small(value: Json) -> str | None:
    """A word, which GraphQL writes in capitals."""
    return (text(value, 64) or "").lower() or None


def _is_ghsa(value: Json) -> bool:
    return isinstance(value, str) and value.upper().startswith("GHSA-")


def _cwes(advisory: dict[str, Json]) -> list[Json]:
    given = advisory.get("cwes")
    return [
        mapping(one).get("cwe_id") for one in listing(given) or listing(mapping(given).get("nodes"))
    ]


def _score(advisory: dict[str, Json]) -> float | None:
    """Of version 4, else 3; 0 is what stands where nobody gave one."""
    rated = mapping(advisory.get("cvss_severities"))
    told = (rated.get("cvss_v4"), rated.get("cvss_v3"), advisory.get("cvss"))
    scores = (measured(mapping(one).get("score")) for one in told)
    return next((score for score in scores if score is not None and 0 < score <= 10), None)


def _epss(told: Json) -> float | None:
    return measured(
        mapping(told if isinstance(told, dict) else next(iter(listing(told)), None)).get(
            "percentage"
        )
    )


def _patched(told: Json) -> str | None:
    return text(mapping(told).get("identifier") if isinstance(told, dict) else told, 128)


def _line(where: dict[str, Json]) -> str | None:
    path, line = text(where.get("path"), 512), text(where.get("start_line"), 16)
    return ":".join(filter(None, (path, line))) or None
