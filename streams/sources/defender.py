"""Microsoft Defender: alerts and assessments of Defender for Cloud, vulnerabilities of machines.

Read are alerts as the REST API, the export to an event hub and the table SecurityAlert have them;
assessments and sub-assessments; pages (`value`), lists and envelopes (`records`) of these; and the
vulnerabilities by machine that Defender for Endpoint gives. What is healthy, dismissed or resolved
is closed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from schemas.detection import Logsource
from schemas.entity import Entity
from schemas.event import Client, Event, EventEvidence
from schemas.times import DAY
from streams.names import azure
from streams.records import envelope
from streams.records.untrusted import (
    distinct,
    entity,
    listing,
    mapping,
    moment,
    number,
    opened,
    text,
)
from streams.reports import scans
from streams.reports.scans import Found, Scan, finding, level
from streams.source import Json, Narrow, Parsed, Raw, Unreadable
from streams.telemetry.verdicts import verdicts

NAME: Final = "defender"
TITLE: Final = "Microsoft Defender for Cloud"
LOGSOURCE: Final = Logsource(product="azure", service="microsoft365defender")
LATENESS: Final = DAY
NARROW: Final[Narrow | None] = None
VERSIONS: Final = "Microsoft.Security alerts 2022-01-01, assessments 2020-01-01 to 2025-05-04"
GAPS: Final = (
    "Exports as CSV and archives in .zip are not read.",
    "Entities of an alert are read for accounts, addresses and resources only.",
    "Vulnerabilities of Defender for Endpoint say no time: they hold from 1970 on.",
)
CATEGORIES: Final = frozenset({"compliance_finding", "detection_finding", "vulnerability_finding"})
ATTRIBUTES: Final = scans.ATTRIBUTES | frozenset(
    """
    cloud.account.id cloud.resource_id defender.alert.id defender.alert.type defender.cause
    defender.intent defender.status defender.techniques guardrail.category guardrail.verdict
    """.split()  # noqa: SIM905 - names read better as a paragraph
)

# Alerts for AI workloads -> the verdict and category that their type stands for.
# https://learn.microsoft.com/azure/defender-for-cloud/alerts-ai-workloads
_VERDICTS: Final = (
    ("jailbreak.contentfiltering.blocked", "blocked", "jailbreak"),
    ("agentic_blockedjailbreak", "blocked", "jailbreak"),
    ("jailbreak", "detected", "jailbreak"),
    ("asciismuggling", "detected", "indirect_attack"),
    ("credentialtheft", "detected", "credentials"),
    ("anomaloustoolinvocation", "detected", "tool_misuse"),
    ("maliciousurl", "detected", "malicious_url"),
    ("llmreconnaissance", "detected", "reconnaissance"),
)
_CLOSED: Final = frozenset({"dismissed", "healthy", "notapplicable", "resolved"})
_TEXTS: Final = ("entities", "extendedproperties")  # JSON in a text, in tables
_MOST: Final = 64


def sniff(head: bytes) -> bool:
    """An alert has a type and an id of the system; an assessment is of that type; a page tells."""
    small = head.lower()
    if b'"alerttype"' in small and (b'"systemalertid"' in small or b'"compromisedentity"' in small):
        return True
    if b"microsoft.security/assessments" in small and b'"status"' in small:
        return True
    return b"securitycenter.windows.com/api" in small or (
        b'"cveId"' in head and b'"machineId"' in head
    )


def split(document: bytes) -> Iterator[Raw]:
    """The alerts, assessments or vulnerabilities of a page, an envelope or a list, or the one."""
    return envelope.records(document, "value", "records")


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:  # noqa: ARG001 - no context
    """One alert, assessment or vulnerability."""
    whole = _small(record)
    said = whole | _small(whole.get("properties"))
    if text(said.get("alerttype")):
        return Parsed(_alert(said, evidence), {})
    if text(said.get("cveid")) and text(said.get("machineid")):
        return Parsed(_vulnerability(said, evidence), {})
    if "status" in said and ("displayname" in said or "assessments" in str(whole.get("type"))[:99]):
        return Parsed(_assessment(whole, said, evidence), {})
    raise Unreadable("wrong-shape", "neither an alert, nor an assessment, nor a vulnerability")


def _alert(said: dict[str, Json], evidence: EventEvidence) -> Event:
    kind = text(said.get("alerttype"), 256) or "alert"
    told = mapping(opened(said.get("extendedproperties")))
    entities = [_small(one) for one in listing(opened(said.get("entities")))[:_MOST]]
    resources = [
        one
        for row in listing(said.get("resourceidentifiers"))[:_MOST]
        if (one := text(_small(row).get("azureresourceid"), 1024))
    ]
    resources += [
        one for key in ("azureresourceid", "resourceid") if (one := text(said.get(key), 1024))
    ]
    resources += [one for one in (text(said.get("id"), 1024),) if one and not resources]
    subscriptions = [one for one in map(azure.subscription, resources) if one is not None]
    deployment = text(told.get("Deployment Name") or told.get("deploymentName"), 128)
    assets = [azure.deployed(azure.asset(one), deployment) for one in resources]
    people = [_account(one) for one in entities if text(one.get("type")) == "account"]
    things = distinct((*assets, *people, *subscriptions))
    number_of = text(said.get("systemalertid"), 128) or text(said.get("name"), 128)
    if not things:
        things = distinct((entity("account", text(said.get("compromisedentity"), 256) or "azure"),))
    when = (
        "timegeneratedutc",
        "timegenerated",
        "endtimeutc",
        "endtime",
        "starttimeutc",
        "starttime",
    )
    found = Found(
        sort="detection",
        of=kind,
        title=text(said.get("alertdisplayname") or said.get("displayname"), 512) or kind,
        severity=level(said.get("severity") or said.get("alertseverity")),
        place=number_of,
        closed=(text(said.get("status"), 32) or "").lower() in _CLOSED,
        attributes={
            **_judged(kind),
            "cloud.account.id": next((one.id for one in subscriptions), None),
            "cloud.resource_id": resources[0].lower() if resources else None,
            "defender.alert.id": number_of,
            "defender.alert.type": kind,
            "defender.intent": text(said.get("intent") or said.get("tactics"), 256),
            "defender.status": text(said.get("status"), 32),
            "defender.techniques": [
                one for one in map(text, listing(said.get("techniques"))[:_MOST]) if one
            ]
            or None,
        },
    )
    scan = Scan(NAME, NAME, things[0], moment(next((t for k in when if (t := said.get(k))), None)))
    event_ = finding(scan, found, evidence, others=things[1:])
    address = next((one for e in entities if (one := text(e.get("address"), 256))), None)
    client = Client(ip=address) if address else None
    return event_.model_copy(update={"client": client, "actor": next(filter(None, people), None)})


def _assessment(whole: dict[str, Json], said: dict[str, Json], evidence: EventEvidence) -> Event:
    status = _small(said.get("status"))
    metadata = _small(said.get("metadata"))
    name, own = text(whole.get("name"), 256), text(whole.get("id"), 1024) or ""
    of = name or text(said.get("displayname"), 256)
    if of is None:
        raise Unreadable("wrong-shape", "an assessment has a name")
    resource = (
        text(_small(said.get("resourcedetails")).get("id"), 1024)
        or own.partition("/providers/Microsoft.Security")[0]
    )
    subscription = azure.subscription(resource)
    things = distinct((azure.asset(resource), subscription)) or distinct(
        (entity("account", "azure"),)
    )
    code = text(status.get("code"), 32)
    changed = status.get("statuschangedate") or status.get("firstevaluationdate")
    when = changed or said.get("timegenerated") or whole.get("time")
    found = Found(
        sort="compliance",
        of=of,
        title=text(said.get("displayname"), 512) or of,
        severity=level(metadata.get("severity") or status.get("severity")),
        place=resource.lower() or None,
        closed=(code or "").lower() in _CLOSED,
        attributes={
            "check.id": of,
            "check.resource": resource.lower() or None,
            "cloud.account.id": subscription.id if subscription else None,
            "cloud.resource_id": resource.lower() or None,
            "defender.cause": text(status.get("cause"), 128),
            "defender.status": code,
        },
    )
    scan = Scan(NAME, NAME, things[0], moment(when) if text(when) else 0)
    return finding(scan, found, evidence, others=things[1:])


def _vulnerability(said: dict[str, Json], evidence: EventEvidence) -> Event:
    of, machine = text(said.get("cveid"), 128) or "", text(said.get("machineid"), 256) or ""
    package = text(said.get("productname"), 256)
    found = Found(
        sort="vulnerability",
        of=of,
        title=f"{of} in {package or 'a product'}",
        severity=level(said.get("severity")),
        package=package,
        attributes={
            "package.version": text(said.get("productversion"), 256),
            "vulnerability.cvss": number(said.get("cvssscore")),
        },
    )
    return finding(Scan(NAME, NAME, Entity(kind="host", id=machine.lower()), 0), found, evidence)


def _account(told: dict[str, Json]) -> Entity | None:
    name, suffix = text(told.get("name"), 256), text(told.get("upnsuffix"), 256)
    known = f"{name}@{suffix}" if name and suffix else name or text(told.get("aaduserid"), 128)
    return entity("principal", known.lower() if known else None)


def _judged(kind: str) -> dict[str, Json]:
    small = kind.lower()
    said = [
        (word, what) for mark, word, what in _VERDICTS if small.startswith("ai.") and mark in small
    ]
    return verdicts(*said[:1])


def _small(value: Json) -> dict[str, Json]:
    """The object with small keys: each way of export writes them differently."""
    return {key.lower(): one for key, one in mapping(value).items()}
