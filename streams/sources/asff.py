"""AWS Security Hub: findings of any product in the AWS Security Finding Format.

Read are findings of schema 2018-10-08 alone, as a list, in `Findings` or `findings`, and in events
of EventBridge. One that passed, was archived, resolved or suppressed is closed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from schemas.detection import Logsource
from schemas.entity import Entity, image
from schemas.event import Client, EventEvidence
from schemas.times import DAY
from streams.names import arns
from streams.records import envelope
from streams.records.untrusted import distinct, entity, listing, mapping, moment, number, text
from streams.reports import scans
from streams.reports.scans import Found, Scan, Sort, finding, level
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "asff"
TITLE: Final = "AWS Security Hub finding (ASFF)"
LOGSOURCE: Final = Logsource(product="aws", service="securityhub")
LATENESS: Final = DAY  # checks run twice a day
NARROW: Final[Narrow | None] = None
VERSIONS: Final = "SchemaVersion 2018-10-08"
GAPS: Final = (
    "A finding of several vulnerabilities is told by the first; the others are its aliases.",
    "Findings of the new Security Hub (OCSF) are for the source ocsf.",
)
CATEGORIES: Final = frozenset(
    {
        "compliance_finding",
        "data_security_finding",
        "detection_finding",
        "vulnerability_finding",
    }
)
ATTRIBUTES: Final = scans.ATTRIBUTES | frozenset(
    {
        *("asff.compliance", "asff.id", "asff.record_state", "asff.types", "asff.workflow"),
        *("cloud.account.id", "cloud.region"),
    }
)

_CLOSED: Final = frozenset({"ARCHIVED", "PASSED", "RESOLVED", "SUPPRESSED"})
_FAR: Final = ("/remoteIpDetails/ipAddressV4", "/remoteIpDetails/ipAddressV6")
_THREATS: Final = ("TTPs", "Effects", "Unusual Behaviors", "Threats")
_DATA: Final = "Sensitive Data Identifications"


def sniff(head: bytes) -> bool:
    """A finding names its product by ARN, and an account or a schema."""
    if b'"ProductArn"' not in head:
        return False
    return b'"AwsAccountId"' in head or b'"GeneratorId"' in head or b'"2018-10-08"' in head


def split(document: bytes) -> Iterator[Raw]:
    """The findings of an answer, an event or a list, or the one finding."""
    return envelope.records(document, "Findings", "findings")


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:  # noqa: ARG001 - no context
    """One finding, as it stands when it was last updated."""
    said = mapping(record)
    name = text(said.get("Id"), 512)
    if name is None or "ProductArn" not in said:
        raise Unreadable("wrong-shape", "a finding has `Id` and `ProductArn`")
    when = (said.get(key) for key in ("UpdatedAt", "LastObservedAt", "CreatedAt"))
    time = moment(next((one for one in when if text(one)), None))
    account = entity("account", said.get("AwsAccountId"))
    resources = [mapping(one) for one in listing(said.get("Resources"))[:32]]
    things = distinct((*map(_asset, resources), account))
    if not things:
        raise Unreadable("wrong-shape", "a finding names a resource or an account")
    states = _states(said)
    types = [one for one in map(text, listing(said.get("Types"))[:16]) if one]
    of, sort, package = _of(said, types)
    severity = mapping(said.get("Severity"))
    found = Found(
        sort=sort,
        of=of,
        title=text(said.get("Title"), 512) or of,
        severity=level(severity.get("Label"), _score(severity)),
        package=text(package.get("Name"), 256),
        place=_place(sort, name, resources),
        closed=any(state in _CLOSED for state in states.values()),
        attributes={
            **_package(said, package),
            **states,
            "asff.id": name,
            "asff.types": types or None,
            "check.id": None if sort == "vulnerability" else of,
            "check.resource": text(resources[0].get("Id"), 512) if resources else None,
            "cloud.account.id": text(said.get("AwsAccountId"), 64),
            "cloud.region": text(said.get("Region"), 64),
        },
    )
    scan = Scan(NAME, _product(said), things[0], time)
    told, address = finding(scan, found, evidence, others=things[1:]), _address(said)
    return Parsed(told.model_copy(update={"client": Client(ip=address)}) if address else told, {})


def _address(said: dict[str, Json]) -> str | None:
    """Where it came from: the far end of the action, which GuardDuty has in names of its own."""
    for part in map(mapping, mapping(said.get("Action")).values()):
        known = text(mapping(part.get("RemoteIpDetails")).get("IpAddressV4"), 256)
        if known is not None:
            return known
    fields = mapping(said.get("ProductFields"))
    far = (one for name, one in fields.items() if name.endswith(_FAR))
    return next((known for one in far if (known := text(one, 256))), None)


def _states(said: dict[str, Json]) -> dict[str, str | None]:
    workflow = mapping(said.get("Workflow")).get("Status") or said.get("WorkflowState")
    return {
        "asff.compliance": text(mapping(said.get("Compliance")).get("Status"), 32),
        "asff.record_state": text(said.get("RecordState"), 32),
        "asff.workflow": text(workflow, 32),
    }


def _of(said: dict[str, Json], types: list[str]) -> tuple[str, Sort, dict[str, Json]]:
    """What was found, of which sort, and in which package."""
    known = [mapping(one) for one in listing(said.get("Vulnerabilities"))[:1]]
    vulnerability = text(known[0].get("Id"), 256) if known else None
    if vulnerability is not None:
        packages = listing(known[0].get("VulnerablePackages"))
        return vulnerability, "vulnerability", mapping(packages[0]) if packages else {}
    generator = text(said.get("GeneratorId"), 256) or "asff"
    control = text(mapping(said.get("Compliance")).get("SecurityControlId"), 128)
    if any(one.startswith(_DATA) for one in types):
        return types[0].rpartition("/")[2], "data", {}
    if any(one.startswith(_THREATS) for one in types):
        # GuardDuty's `Persistence:IAMUser/NetworkPermissions` is written with a dash here.
        kind = types[0].rpartition("/")[2]
        return kind.replace("-", "/", 1) if ":" in kind else kind, "detection", {}
    own = generator.rpartition("/")[2].removeprefix(f"{_product(said)}-")
    return control or own, "compliance", {}


def _place(sort: Sort, name: str, resources: list[dict[str, Json]]) -> str | None:
    """A threat is this one; a check or vulnerability is the same as long as its resource is."""
    if sort == "detection":
        return name.rpartition("/")[2]
    return text(resources[0].get("Id"), 512) if resources else None


def _package(said: dict[str, Json], package: dict[str, Json]) -> dict[str, Json]:
    several = [mapping(one) for one in listing(said.get("Vulnerabilities"))[:64]]
    scores = [mapping(one) for one in listing((several[:1] or [{}])[0].get("Cvss"))]
    known = [score for one in scores if (score := number(one.get("BaseScore")))]
    return {
        "package.fixed_version": text(package.get("FixedInVersion"), 256),
        "package.version": text(package.get("Version"), 256),
        "vulnerability.aliases": [one for v in several[1:] if (one := text(v.get("Id"), 64))]
        or None,
        "vulnerability.cvss": max(known, default=None),
        "vulnerability.epss": number(several[0].get("EpssScore")) if several else None,
    }


def _score(severity: dict[str, Json]) -> float | None:
    """Normalized is 0 to 100, in the bands of CVSS times ten."""
    value = number(severity.get("Normalized"))
    return None if value is None else value / 10


def _product(said: dict[str, Json]) -> str:
    """The product in small letters: `guardduty`, `inspector`, `security hub`, `prowler`."""
    fields = mapping(said.get("ProductFields"))
    arn = text(said.get("ProductArn"), 256) or ""
    own = arn.rpartition("/")[2] if "/aws/" in arn else None
    name = own or said.get("ProductName") or fields.get("ProviderName")
    return (text(name, 64) or arn.rpartition("/")[2] or NAME).lower()


def _asset(resource: dict[str, Json]) -> Entity | None:
    name, kind = text(resource.get("Id"), 512), text(resource.get("Type"), 64)
    if name is None:
        return None
    if kind == "AwsAccount" or (name.isdecimal() and len(name) == 12):
        return entity("account", name.rpartition(":")[2])
    if kind == "Container":
        details = mapping(mapping(resource.get("Details")).get("Container"))
        reference = text(details.get("ImageId") or details.get("ImageName"), 512)
        return image(reference) if reference else None
    known = arns.asset(name)
    if known is None and kind == "AwsEc2Instance":
        known = entity("host", name.rpartition("/")[2])
    if known is None and kind == "AwsIamAccessKey":
        known = entity("apikey", name.rpartition(":")[2])
    return known
