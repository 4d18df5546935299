"""Wiz: the issues of a cloud estate, and what its command line found in images and code.

Read are exports of issues as CSV and JSON (a list, NDJSON, an answer of the API), and the JSON that
`wizcli` writes of an image, a folder or infrastructure code. There each vulnerability, secret and
rule match is a record, then the scan itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from schemas.detection import Logsource
from schemas.entity import Entity
from schemas.event import Event, EventEvidence
from schemas.times import DAY
from streams import resources, scans, wizcli
from streams.artifacts import workload
from streams.envelope import records
from streams.reports import Whole, dated, empty
from streams.scans import Found, Scan, Sort, finding, level
from streams.source import Json, Narrow, Parsed, Raw, Unreadable
from streams.tables import rows
from streams.untrusted import entity, mapping, slices, text

NAME: Final = "wiz"
TITLE: Final = "Wiz issues and wizcli scans"
LOGSOURCE: Final = Logsource(product="wiz")
LATENESS: Final = DAY  # exports are made by hand or once a day
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset(
    {
        "compliance_finding",
        "data_security_finding",
        "detection_finding",
        "scan_activity",
        "vulnerability_finding",
    }
)
ATTRIBUTES: Final = scans.ATTRIBUTES | {
    "check.category",
    "check.status",
    "cloud.provider",
    "cloud.region",
    "finding.mark",
    "resource.type",
}
VERSIONS: Final = "issues as of 2023 to 2026, wizcli 0.40 to 1.0"
GAPS: Final = (
    ("An issue that an export no longer lists stays open: RESOLVED, REJECTED and IGNORED end it."),
    "Data findings and host configuration of wizcli are not read.",
)

_ENDED: Final = frozenset({"IGNORED", "REJECTED", "RESOLVED"})
_CONTROLLERS: Final = frozenset(
    {"DaemonSet", "Deployment", "Job", "Pod", "ReplicaSet", "StatefulSet"}
)
# The columns of CSV by what the API calls the same.
_COLUMNS: Final = {
    "id": "Issue ID",
    "createdAt": "Created At",
    "resolvedAt": "Resolved Time",
    "severity": "Severity",
    "status": "Status",
}
_ENTITY: Final = {
    "cloudPlatform": "Resource Platform",
    "externalId": "Resource external ID",
    "id": "Resource vertex ID",
    "name": "Resource Name",
    "namespace": "Kubernetes Namespace",
    "region": "Resource Region",
    "subscriptionExternalId": "Subscription ID",
    "type": "Resource Type",
}


class _Page(msgspec.Struct):
    nodes: msgspec.Raw = msgspec.Raw()


class _Data(msgspec.Struct):
    issues: _Page | None = None


class _Answer(msgspec.Struct):
    data: _Data


_ANSWER: Final = msgspec.json.Decoder(_Answer)


def sniff(head: bytes) -> bool:
    """CSV has columns of Wiz; an issue has a snapshot of its entity; a scan its origin."""
    line = head.lstrip().partition(b"\n")[0]
    return (
        (b"Issue ID" in line and b"Resource vertex ID" in line)
        or (b'"entitySnapshot"' in head and b'"severity"' in head)
        or wizcli.sniff(head)
    )


def split(document: bytes) -> Iterator[Raw]:
    """The issues of an export, or the findings of a scan and the scan."""
    if empty(document):
        return iter(())
    start = document.lstrip()
    if start[:1] not in {b"[", b"{"}:
        return rows(document)
    if wizcli.sniff(document):
        return wizcli.raws(document)
    if start.startswith(b"{") and b'"nodes"' in document:
        page = slices(document, _ANSWER).data.issues
        return records(bytes(page.nodes)) if page and bytes(page.nodes) else iter(())
    return records(document, "issues", "nodes")


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """One issue, or a part of a scan."""
    if isinstance(raw.context, Whole):
        return raw.context.event(evidence)
    if raw.context is not None:
        return wizcli.event(raw, record, evidence)
    said = mapping(record)
    if not said:
        raise Unreadable("wrong-shape", "an issue is an object, or a row as long as the heading")
    table = "Issue ID" in said
    issue = {key: said.get(name) for key, name in _COLUMNS.items()} if table else said
    thing = (
        {key: said.get(name) for key, name in _ENTITY.items()}
        if table
        else mapping(said.get("entitySnapshot"))
    )
    rule = mapping(said.get("sourceRule") or said.get("control"))
    title = text(said.get("Title") if table else rule.get("name"), 512)
    of = text(said.get("Control ID"), 128) if table else text(rule.get("id"), 128)
    if title is None and of is None:
        raise Unreadable("wrong-shape", "an issue has a control")
    return Parsed(_issue(issue, thing, (of or title or "", title or of or ""), evidence), {})


def _issue(
    issue: dict[str, Json],
    thing: dict[str, Json],
    names: tuple[str, str],
    evidence: EventEvidence,
) -> Event:
    status = (text(issue.get("status"), 32) or "").upper()
    closed = status in _ENDED
    ended = [issue.get("resolvedAt"), issue.get("statusChangedAt")] if closed else []
    time = dated(*ended, issue.get("createdAt"))
    account = entity("account", thing.get("subscriptionExternalId"))
    asset = _asset(thing) or account or Entity(kind="account", id="wiz")
    place = text(thing.get("externalId"), 512) or text(thing.get("name"), 512)
    mark = text(issue.get("id"), 128)
    found = Found(
        sort=_sort(issue),
        of=names[0],
        title=names[1].strip(),
        severity=level(issue.get("severity")),
        place=place,
        mark=mark,
        closed=closed,
        attributes={
            "check.id": names[0],
            "check.category": text(issue.get("type"), 64),
            "check.resource": place,
            "check.status": status or None,
            "cloud.provider": text(thing.get("cloudPlatform"), 64),
            "cloud.region": text(thing.get("region"), 64),
            "finding.mark": mark,
            "resource.type": text(thing.get("nativeType"), 128) or text(thing.get("type"), 128),
        },
    )
    return finding(Scan(NAME, NAME, asset, time), found, evidence, others=(account,))


def _sort(issue: dict[str, Json]) -> Sort:
    return "detection" if text(issue.get("type")) == "THREAT_DETECTION" else "compliance"


def _asset(thing: dict[str, Json]) -> Entity | None:
    """The asset of an entity, whose id in its cloud may have `##` and a part behind it."""
    known = (text(thing.get("externalId"), 512) or "").partition("##")[0]
    kind = text(thing.get("type"), 128)
    if kind in _CONTROLLERS:
        return workload(thing.get("namespace"), kind, thing.get("name"))
    return resources.asset(known)
