"""Prowler: which checks of a cloud account or cluster pass, fail or want a human.

Read are OCSF 1.1 to 1.5 (a list, NDJSON, one finding), the JSON and CSV of version 3, the CSV of
versions 4 and 5, and the JSON and CSV of version 2. A finding is about the resource where that is
an asset, else about the account. PASS and muted close it, MANUAL leaves it open and informational.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from schemas.detection import Logsource
from schemas.entity import Entity
from schemas.event import EventEvidence
from schemas.times import DAY
from streams.names import resources
from streams.names.artifacts import workload
from streams.records.envelope import records
from streams.records.tables import rows
from streams.records.untrusted import MOST, entity, listing, mapping, text
from streams.reports import scans
from streams.reports.scans import Found, Scan, finding, level
from streams.reports.whole import dated, empty
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "prowler"
TITLE: Final = "Prowler findings"
LOGSOURCE: Final = Logsource(product="prowler")
LATENESS: Final = DAY  # a report comes when its pipeline has ended
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset({"compliance_finding"})
ATTRIBUTES: Final = scans.ATTRIBUTES | {
    "check.category",
    "check.status",
    "cloud.provider",
    "cloud.region",
    "compliance.requirements",
    "resource.type",
}
VERSIONS: Final = "2.12, 3.4, 4.2 and 5.4; OCSF 1.2 and 1.4; 1.1 and 1.5 as documented"
GAPS: Final = (
    "A resource that is gone has no PASS row: its findings stay open until something else ends it.",
    "Findings of Kubernetes name their cluster only as the context in CSV.",
)

_SETTLED: Final = frozenset({"INFO", "MUTED", "PASS", "WARNING"})
_PODS: Final = frozenset({"Pod", "Deployment", "DaemonSet", "StatefulSet", "ReplicaSet", "Job"})


class _Row(NamedTuple):
    """What all generations say of a check on a resource."""

    check: str | None
    title: Json
    status: Json
    severity: Json
    time: int
    resource: str | None
    provider: str | None
    account: Json
    region: Json
    kind: Json
    category: Json
    requirements: list[str]
    muted: bool = False
    asset: Entity | None = None


def sniff(head: bytes) -> bool:
    """OCSF findings name the product; JSON and CSV have columns that nobody else has together."""
    line = head.lstrip().partition(b"\n")[0]
    return (
        (b'"Prowler"' in head and b'"finding_info"' in head)
        or (b'"FindingUniqueId"' in head and b'"CheckID"' in head)
        or (b'"Control ID"' in head and b'"CAF Epic"' in head and b'"Account Number"' in head)
        or (b"CHECK_ID" in line and b"STATUS_EXTENDED" in line and b"PROVIDER" in line)
        or (line.startswith(b"PROFILE,ACCOUNT_NUM,") and b"CHECK_RESULT" in line)
    )


def split(document: bytes) -> Iterator[Raw]:
    """The findings of a document, in its order."""
    if empty(document):
        return iter(())
    return records(document) if document.lstrip()[:1] in {b"[", b"{"} else rows(document)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:  # noqa: ARG001 - no context
    """One check on one resource."""
    said = mapping(record)
    read = next((read for key, read in _FORMS.items() if key in said), None)
    if read is None:
        raise Unreadable("wrong-shape", "no finding of Prowler: no check is named")
    row = read(said)
    if row.check is None:
        raise Unreadable("wrong-shape", "a finding names its check")
    status = (text(row.status, 32) or "").strip().upper()
    account = entity("account", row.account) or resources.account(row.resource)
    asset = row.asset or resources.asset(row.resource) or account
    if asset is None:
        asset = Entity(kind="account", id=row.provider or "unknown")
    found = Found(
        sort="compliance",
        of=row.check,
        title=text(row.title, 512) or row.check,
        severity="informational" if status == "MANUAL" else level(row.severity),
        place=row.resource,
        mark=f"{row.resource}|{text(row.region, 128)}",  # a check of an account is one a region
        closed=status in _SETTLED or row.muted,
        attributes={
            "check.id": row.check,
            "check.status": "MUTED" if row.muted else status or None,
            "check.category": text(row.category, 128),
            "check.resource": row.resource,
            "cloud.provider": row.provider,
            "cloud.region": text(row.region, 128),
            "compliance.requirements": row.requirements[:MOST] or None,
            "resource.type": text(row.kind, 128),
        },
    )
    scan = Scan(NAME, NAME, asset, row.time)
    return Parsed(finding(scan, found, evidence, others=(account,)), {})


def _ocsf(said: dict[str, Json]) -> _Row:
    about, more = mapping(said.get("finding_info")), mapping(said.get("unmapped"))
    one = mapping(next(iter(listing(said.get("resources"))), None))
    cloud = mapping(said.get("cloud"))
    times = (said.get("time"), said.get("time_dt"), said.get("event_time"))
    name, namespace = text(one.get("name"), 253), text(one.get("namespace"), 64)
    pod = text(one.get("type")) in _PODS and name and namespace
    return _Row(
        check=text(mapping(said.get("metadata")).get("event_code"), 256),
        title=about.get("title"),
        status=said.get("status_code"),
        severity=said.get("severity"),
        time=dated(*times, about.get("created_time"), about.get("created_time_dt")),
        resource=text(one.get("uid"), 512) or name,
        provider=text(cloud.get("provider"), 32) or text(more.get("provider"), 32),
        account=mapping(cloud.get("account")).get("uid") or more.get("provider_uid"),
        region=one.get("region") or cloud.get("region"),
        kind=one.get("type"),
        category=mapping(one.get("group")).get("name"),
        requirements=_requirements(more.get("compliance")),
        muted=text(said.get("status")) == "Suppressed",
        asset=workload(namespace, one.get("type"), name) if pod else None,
    )


def _third(said: dict[str, Json]) -> _Row:
    return _Row(
        check=text(said.get("CheckID"), 256),
        title=said.get("CheckTitle"),
        status=said.get("Status"),
        severity=said.get("Severity"),
        time=dated(said.get("AssessmentStartTime")),
        resource=text(said.get("ResourceArn"), 512) or text(said.get("ResourceId"), 512),
        provider=text(said.get("Provider"), 32),
        account=said.get("AccountId") or said.get("SubscriptionId") or said.get("ProjectId"),
        region=said.get("Region"),
        kind=said.get("ResourceType"),
        category=said.get("ServiceName"),
        requirements=_requirements(said.get("Compliance")),
    )


def _table(said: dict[str, Json]) -> _Row:
    """A row of the CSV of versions 3 to 5."""
    resource = next((said.get(f"RESOURCE_{k}") for k in _IDS if said.get(f"RESOURCE_{k}")), None)
    return _Row(
        check=text(said.get("CHECK_ID"), 256),
        title=said.get("CHECK_TITLE"),
        status=said.get("STATUS"),
        severity=said.get("SEVERITY"),
        time=dated(said.get("TIMESTAMP"), said.get("ASSESSMENT_START_TIME")),
        resource=text(resource, 512),
        provider=text(said.get("PROVIDER"), 32),
        account=said.get("ACCOUNT_UID") or said.get("ACCOUNT_ID") or said.get("ACCOUNT_NAME"),
        region=said.get("REGION"),
        kind=said.get("RESOURCE_TYPE"),
        category=said.get("SERVICE_NAME"),
        requirements=_listed(said.get("COMPLIANCE")),
        muted=(text(said.get("MUTED")) or "").lower() == "true",
    )


def _second(said: dict[str, Json]) -> _Row:
    return _Row(
        check=_bracketed(said.get("Control")) or text(said.get("Control ID"), 64),
        title=said.get("Control"),
        status=said.get("Status"),
        severity=said.get("Severity"),
        time=dated(said.get("Timestamp")),
        resource=text(said.get("Resource ID"), 512),
        provider="aws",
        account=said.get("Account Number"),
        region=said.get("Region"),
        kind=None,
        category=said.get("Service"),
        requirements=[],
    )


def _second_table(said: dict[str, Json]) -> _Row:
    return _Row(
        check=_bracketed(said.get("TITLE_TEXT")) or text(said.get("TITLE_ID"), 64),
        title=said.get("TITLE_TEXT"),
        status=said.get("CHECK_RESULT"),
        severity=said.get("CHECK_SEVERITY"),
        time=0,
        # The resource stands in the sentence alone, which tells two of them apart.
        resource=text(said.get("CHECK_RESULT_EXTENDED"), 512),
        provider="aws",
        account=said.get("ACCOUNT_NUM"),
        region=said.get("REGION"),
        kind=said.get("CHECK_ASFF_RESOURCE_TYPE"),
        category=said.get("CHECK_SERVICENAME"),
        requirements=[],
    )


_IDS: Final = ("UID", "ARN", "ID", "NAME")
# A key that only this form has, and how it is read.
_FORMS: Final[dict[str, Callable[[dict[str, Json]], _Row]]] = {
    "finding_info": _ocsf,
    "CheckID": _third,
    "CHECK_ID": _table,
    "Control ID": _second,
    "TITLE_ID": _second_table,
}


def _requirements(value: Json) -> list[str]:
    """`{"CIS-3.0": ["1.20"]}` as `CIS-3.0:1.20`."""
    return [
        f"{name[:64]}:{known}"
        for name, several in mapping(value).items()
        for one in (listing(several) or [several])
        if (known := text(one, 128))
    ]


def _listed(value: Json) -> list[str]:
    """`CIS-1.10: 1.2.11 | SOC2: cc_6_7, cc_7_2` as `CIS-1.10:1.2.11`."""
    parts = (text(value) or "").split(" | ")
    pairs = [part.partition(": ") for part in parts]
    return [f"{name}:{one.strip()}" for name, _, some in pairs for one in some.split(",") if some]


def _bracketed(value: Json) -> str | None:
    """`[check114] Ensure ...` names `check114`."""
    head, bracket, _ = (text(value) or "").removeprefix("[").partition("]")
    return text(head, 64) if bracket else None
