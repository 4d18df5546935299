"""Wiz: the issues of a cloud estate, and what its command line found in images and code.

Read are exports of issues and of vulnerabilities as CSV and JSON (a list, NDJSON, an answer of the
API), issues and threats as webhooks send them, and the JSON that `wizcli` writes of an image, a
folder or infrastructure code. There each vulnerability, secret and rule match is a record, then
the scan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import msgspec

from schemas.detection import Logsource
from schemas.entity import Entity
from schemas.event import Event, EventEvidence
from schemas.times import DAY
from streams.names import resources
from streams.names.artifacts import workload
from streams.records.envelope import records
from streams.records.tables import rows
from streams.records.untrusted import entity, listing, mapping, slices, text
from streams.reports import scans, wizcli, wizvulns
from streams.reports.scans import Found, Scan, finding, level
from streams.reports.whole import Whole, dated, empty
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

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
    "attack.techniques",
    "check.category",
    "check.status",
    "cloud.provider",
    "cloud.region",
    "finding.mark",
    "resource.type",
}
VERSIONS: Final = (
    "issues as CSV of 2023 and JSON of 2024, vulnerabilities as CSV of 2024, webhooks of 2025, "
    "wizcli of 2024"
)
GAPS: Final = (
    ("An issue that an export no longer lists stays open: RESOLVED, REJECTED and IGNORED end it."),
    "Data findings and host configuration of wizcli are not read.",
)

_THREAT: Final = "THREAT_DETECTION"
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


class _Issue(NamedTuple):
    """What all forms say of an issue: itself and its thing as the API names what they have."""

    said: dict[str, Json]
    thing: dict[str, Json]
    of: str | None
    title: str | None
    techniques: list[str] | None = None


class _Page(msgspec.Struct):
    nodes: msgspec.Raw = msgspec.Raw()


class _Data(msgspec.Struct, rename="camel"):
    issues: _Page | None = None
    vulnerability_findings: _Page | None = None


class _Answer(msgspec.Struct):
    data: _Data


_ANSWER: Final = msgspec.json.Decoder(_Answer)


def sniff(head: bytes) -> bool:
    """CSV has columns of Wiz; issues, threats and scans have keys of their own."""
    line = head.lstrip().partition(b"\n")[0]
    return (
        (b"Issue ID" in line and b"Resource vertex ID" in line)
        or (b",DetailedName," in line and b",FindingStatus," in line)
        or (b'"entitySnapshot"' in head and b'"severity"' in head)
        or (b'"vulnerableAsset"' in head and b'"detailedName"' in head)
        or (b'"primaryResource"' in head and b'"tdrId"' in head)
        or (b'"issue"' in head and b'"control"' in head and b'"trigger"' in head)
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
        data = slices(document, _ANSWER).data
        page = data.issues or data.vulnerability_findings
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
    if wizvulns.holds(said):
        return Parsed(wizvulns.event(said, evidence), {})
    read = next((read for key, read in _FORMS.items() if key in said), None)
    if read is None:
        raise Unreadable("wrong-shape", "an issue is about an entity or a resource")
    issue = read(said)
    if issue.of is None and issue.title is None:
        raise Unreadable("wrong-shape", "an issue has a control")
    return Parsed(_event(issue, evidence), {})


def _event(issue: _Issue, evidence: EventEvidence) -> Event:
    said, thing = issue.said, issue.thing
    status = (text(said.get("status"), 32) or "").upper()
    closed = status in _ENDED
    time = dated(said.get("createdAt"))
    if closed:  # when it ended, or where that is not said any time after it began
        time = dated(said.get("resolvedAt"), said.get("statusChangedAt")) or time + 1
    account = entity("account", thing.get("subscriptionExternalId"))
    asset = _asset(thing) or account or Entity(kind="account", id="wiz")
    place = text(thing.get("externalId"), 512) or text(thing.get("name"), 512)
    mark = text(said.get("id"), 128)
    of, title = issue.of or issue.title or "", issue.title or issue.of or ""
    found = Found(
        sort="detection" if text(said.get("type")) == _THREAT else "compliance",
        of=of,
        title=title.strip(),
        severity=level(said.get("severity")),
        place=place,
        mark=mark,
        closed=closed,
        attributes={
            "attack.techniques": issue.techniques or None,
            "check.id": of,
            "check.category": text(said.get("type"), 64),
            "check.resource": place,
            "check.status": status or None,
            "cloud.provider": text(thing.get("cloudPlatform"), 64),
            "cloud.region": text(thing.get("region"), 64),
            "finding.mark": mark,
            "resource.type": text(thing.get("nativeType"), 128) or text(thing.get("type"), 128),
        },
    )
    return finding(Scan(NAME, NAME, asset, time), found, evidence, others=(account,))


def _row(said: dict[str, Json]) -> _Issue:
    return _Issue(
        {key: said.get(name) for key, name in _COLUMNS.items()},
        {key: said.get(name) for key, name in _ENTITY.items()},
        text(said.get("Control ID"), 128),
        text(said.get("Title"), 512),
    )


def _answered(said: dict[str, Json]) -> _Issue:
    rule = mapping(said.get("sourceRule") or said.get("control"))
    thing = mapping(said.get("entitySnapshot"))
    return _Issue(said, thing, text(rule.get("id"), 128), text(rule.get("name"), 512))


def _detected(said: dict[str, Json]) -> _Issue:
    """A threat, as a webhook tells it."""
    thing = mapping(said.get("primaryResource"))
    account = mapping(thing.get("cloudAccount"))
    about = {"subscriptionExternalId": account.get("externalId")}
    about["cloudPlatform"] = account.get("cloudPlatform")
    told = (text(one, 32) for one in listing(said.get("mitreTechniques"))[:64])
    techniques = dict.fromkeys(one.rpartition("-")[2] for one in told if one)
    of, title = text(said.get("tdrId"), 128), text(said.get("title"), 512)
    return _Issue(said | {"type": _THREAT}, thing | about, of, title, list(techniques))


def _called(said: dict[str, Json]) -> _Issue:
    """An issue, as a webhook tells it."""
    issue, rule = mapping(said.get("issue")), mapping(said.get("control"))
    thing = mapping(said.get("resource"))
    about = {"subscriptionExternalId": thing.get("subscriptionId")}
    about["externalId"] = thing.get("id") or None
    return _Issue(
        issue | {"createdAt": issue.get("created")},
        thing | about,
        text(rule.get("id"), 128),
        text(rule.get("name"), 512),
    )


# A key that only this form has, and how it is read.
_FORMS: Final[dict[str, Callable[[dict[str, Json]], _Issue]]] = {
    "Issue ID": _row,
    "entitySnapshot": _answered,
    "primaryResource": _detected,
    "issue": _called,
}


def _asset(thing: dict[str, Json]) -> Entity | None:
    """The asset of an entity, whose id in its cloud may have `##` and a part behind it."""
    known = (text(thing.get("externalId"), 512) or "").partition("##")[0]
    kind = text(thing.get("type"), 128)
    if kind in _CONTROLLERS:
        return workload(thing.get("namespace"), kind, thing.get("name"))
    return resources.asset(known)
