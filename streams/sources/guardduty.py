"""Amazon GuardDuty: what it holds for a threat, against which asset, by whom.

Read are findings as EventBridge and S3 exports have them, alone, as a list, in `Findings`, and as
the API gives them (keys in capitals). One that was archived is closed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from schemas.detection import Logsource
from schemas.entity import Entity, image, principal
from schemas.event import Client, EventEvidence, Level
from schemas.times import HOUR
from streams.names import arns, aws, kubernetes
from streams.records import envelope
from streams.records.untrusted import distinct, entity, listing, mapping, moment, number, text
from streams.reports import scans
from streams.reports.scans import Found, Scan, finding
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "guardduty"
TITLE: Final = "Amazon GuardDuty finding"
LOGSOURCE: Final = Logsource(product="aws", service="guardduty")
LATENESS: Final = 6 * HOUR  # a finding that goes on is told again after minutes, or hours
NARROW: Final[Narrow | None] = None
VERSIONS: Final = "schemaVersion 2.0"
GAPS: Final = (
    "Sequences of an attack are read as one finding; their signals are not.",
    "What malware scans found in a volume stays in the finding.",
)
CATEGORIES: Final = frozenset({"detection_finding"})
ATTRIBUTES: Final = scans.ATTRIBUTES | frozenset(
    {
        *("api.operation", "api.service", "cloud.region", "guardduty.action", "guardduty.count"),
        *("guardduty.sample", "guardduty.severity", "guardduty.type"),
    }
)

# https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-severity.html
_LEVELS: Final[tuple[tuple[float, Level], ...]] = (
    (9.0, "critical"),
    (7.0, "high"),
    (4.0, "medium"),
    (1.0, "low"),
)
_SAMPLE: Final = re.compile(r'"sample"\s*:\s*true')


def sniff(head: bytes) -> bool:
    """A finding says which detector found it, if only in its ARN, and what the resource is."""
    named = b'"schemaVersion"' in head and b":guardduty:" in head and b":detector/" in head
    small = (b'"detectorId"' in head or named) and b'"resource' in head and b'"severity"' in head
    large = b'"DetectorId"' in head and b'"Resource' in head and b'"Severity"' in head
    return (small or large) and b'"eventSource"' not in head


def split(document: bytes) -> Iterator[Raw]:
    """The findings of an event, of a list, or the one finding."""
    return envelope.records(document, "Findings", "findings")


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:  # noqa: ARG001 - no context
    """One finding, as it stands when it was last updated."""
    if not isinstance(record, dict):
        raise Unreadable("wrong-shape", "a finding is an object")
    said = _small(record)
    kind, number_of = text(said.get("type"), 256), text(said.get("id"), 128)
    if kind is None or number_of is None:
        raise Unreadable("wrong-shape", "a finding has `type` and `id`")
    time = moment(said.get("updatedAt") or said.get("createdAt"))
    service, resource = mapping(said.get("service")), mapping(said.get("resource"))
    action = mapping(service.get("action"))
    call = mapping(action.get("awsApiCallAction"))
    key = mapping(resource.get("accessKeyDetails"))
    user = mapping(mapping(resource.get("kubernetesDetails")).get("kubernetesUserDetails"))
    actor = _actor(said, key) or kubernetes.principal(user.get("username"))
    account = entity("account", said.get("accountId"))
    things = distinct((*_assets(resource), *_affected(call), actor, account))
    if not things:
        raise Unreadable("wrong-shape", "a finding names a resource or an account")
    severity = number(said.get("severity")) or 0.0
    more = mapping(service.get("additionalInfo"))
    sample = more.get("sample")
    if _SAMPLE.search(text(more.get("value")) or ""):  # the API has what else there is as a text
        sample = True
    found = Found(
        sort="detection",
        of=kind,
        title=text(said.get("title"), 512) or kind,
        severity=_level(severity),
        place=number_of,
        closed=service.get("archived") is True,
        attributes={
            "api.operation": text(call.get("api"), 128),
            "api.service": text(call.get("serviceName"), 128),
            "cloud.region": text(said.get("region"), 64),
            "guardduty.action": text(action.get("actionType"), 64),
            "guardduty.count": number(service.get("count")),
            "guardduty.sample": sample if isinstance(sample, bool) else None,
            "guardduty.severity": severity,
            "guardduty.type": kind,
        },
    )
    scan = Scan(NAME, NAME, things[0], time)
    told = finding(scan, found, evidence, others=things[1:])
    address = _address(action)
    client = Client(ip=address) if address else None
    return Parsed(told.model_copy(update={"actor": actor, "client": client}), {})


def _level(severity: float) -> Level:
    for least, word in _LEVELS:
        if severity >= least:
            return word
    return "informational"


def _small(value: Json) -> dict[str, Json]:
    """The finding with small first letters in its keys, as deep as is looked at."""
    level: dict[str, Json] = {}
    for key, one in mapping(value).items():
        inner = _small(one) if isinstance(one, dict) else one
        level[key[:1].lower() + key[1:] if not key.isupper() else key] = inner
    return level


def _actor(said: dict[str, Json], key: dict[str, Json]) -> Entity | None:
    """The user or role by its name in the account, else by the number that AWS has for it."""
    name, account = text(key.get("userName"), 128), text(said.get("accountId"), 64)
    if key.get("userType") == "IAMUser":
        return aws.user(said.get("region"), account, name)
    if key.get("userType") in ("AssumedRole", "Role") and name and account:
        return principal(f"arn:{aws.partition(said.get('region'))}:iam::{account}:role/{name}")
    if key.get("userType") == "Root" and account:
        return principal(f"arn:{aws.partition(said.get('region'))}:iam::{account}:root")
    return entity("principal", key.get("principalId"))


def _assets(resource: dict[str, Json]) -> Iterator[Entity | None]:
    buckets = map(mapping, listing(resource.get("s3BucketDetails"))[:16])
    for bucket in buckets:
        name = text(bucket.get("name") or bucket.get("Name"), 256)
        yield entity("datastore", f"s3/{name}" if name else None)
    yield entity("host", mapping(resource.get("instanceDetails")).get("instanceId"))
    pod = mapping(mapping(resource.get("kubernetesDetails")).get("kubernetesWorkloadDetails"))
    name = text(pod.get("name"), 256)
    if name is not None:
        made = kubernetes.controller(name) if pod.get("type") == "pods" else name
        yield kubernetes.workload(text(pod.get("namespace"), 128) or "", made)
    cluster = mapping(resource.get("ecsClusterDetails"))
    task = mapping(cluster.get("taskDetails"))
    yield aws.task(cluster.get("name"), task.get("definitionArn"))
    for part in ("lambdaDetails", "eksClusterDetails", "rdsDbInstanceDetails"):
        details = mapping(resource.get(part))
        yield arns.asset(
            details.get("functionArn") or details.get("arn") or details.get("dbInstanceArn")
        )
    yield entity("apikey", mapping(resource.get("accessKeyDetails")).get("accessKeyId"))
    ran = (*listing(pod.get("containers")), *listing(task.get("containers")))
    for container in (resource.get("containerDetails"), *ran[:16]):
        reference = text(mapping(container).get("image"), 512)
        yield image(reference) if reference else None


def _affected(call: dict[str, Json]) -> Iterator[Entity | None]:
    yield from map(arns.asset, list(mapping(call.get("affectedResources")).values())[:16])


def _address(action: dict[str, Json]) -> str | None:
    """Where it came from: the far end of whatever the action was."""
    for part in map(mapping, action.values()):
        probes = listing(part.get("portProbeDetails"))
        far = mapping(mapping(probes[0] if probes else part).get("remoteIpDetails"))
        known = text(far.get("ipAddressV4") or far.get("ipAddressV6"), 256)
        if known is not None:
            return known
    return None
