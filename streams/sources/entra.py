"""Microsoft Entra: who signed in to what, what was changed in the directory, what was found risky.

Read are sign-ins (of users, interactive or not, of service principals and managed identities),
audit records and risk detections: as exports of diagnostic settings have them
(`{"records": [...]}`, most of it in `properties`), as Microsoft Graph gives them
(`{"value": [...]}`), one a line, and rows of the tables SigninLogs, AuditLogs and the like.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from schemas.detection import Logsource
from schemas.entity import Entity
from schemas.event import Client, Edge, Event, EventEvidence, Level, Status
from schemas.times import HOUR
from streams.names import azure
from streams.records.envelope import records
from streams.records.untrusted import distinct, edge, entity, listing, mapping, text
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "entra"
TITLE: Final = "Microsoft Entra sign-ins and audit"
LOGSOURCE: Final = Logsource(
    product="azure", service="signinlogs", also=("auditlogs", "pim", "riskdetection")
)
LATENESS: Final = HOUR  # sign-ins of service principals come in batches
VERSIONS: Final = "Entra diagnostic logs (2026-11), Microsoft Graph v1.0 and beta"
GAPS: Final = (
    "Of sign-ins only those to AI services, refused by risk, or matched by a rule become events.",
    "Provisioning logs and the activity of Microsoft Graph are not read.",
    "An application and its service principal are two principals: no record names both ids.",
)

# First-party services that hold or serve models, as sign-ins name them.
_AI: Final = frozenset(
    {
        *("azure ai", "azure ai foundry", "azure ai services", "azure machine learning"),
        *("azure machine learning services", "azure openai", "azure openai service"),
        *("cognitive services", "enterprise copilot platform", "microsoft 365 copilot"),
        *("microsoft cognitive services", "microsoft copilot", "microsoft copilot studio"),
        *("power virtual agents service", "security copilot"),
    }
)
_RISKY: Final = frozenset({"atrisk", "confirmedcompromised"})
_AUDIT: Final = frozenset({"auditlogs"})


def _told(row: dict[str, Json]) -> dict[str, Json]:
    """The record itself, which an export has in `properties`."""
    return azure.folded(azure.opened(row.get("properties"))) or row


def _uid(record: Json, sha256: str) -> str:
    return text(_told(azure.folded(record)).get("id"), 128) or sha256


NARROW: Final = Narrow(
    time="time",
    clock=azure.moment,
    relevant={
        "category": _AUDIT | {"serviceprincipalriskevents", "userriskevents"},
        "properties.resourceDisplayName": _AI,
        "properties.appDisplayName": _AI,
        "properties.riskState": _RISKY,
        "resourceDisplayName": _AI,
        "appDisplayName": _AI,
    },
    uid=_uid,
)

# Exports, Graph, and the columns of the tables.
_GRAPH: Final = """
    activityDateTime activityDisplayName additionalDetails[].key additionalDetails[].value agent.*
    appDisplayName appId appOwnerTenantId appliedConditionalAccessPolicies[].*
    authenticationContextClassReferences[].* authenticationDetails[].* authenticationMethodsUsed[]
    authenticationProcessingDetails[].* authenticationProtocol authenticationRequirement
    autonomousSystemNumber category clientAppUsed clientCredentialType conditionalAccessStatus
    correlationId createdDateTime crossTenantAccessType detectedDateTime detectionTimingType
    deviceDetail.* federatedCredentialId flaggedForReview id incomingTokenType initiatedBy.app.*
    initiatedBy.user.* ipAddress isInteractive isTenantRestricted lastUpdatedDateTime location.*
    loggedByService managedIdentityType mfaDetail.* networkLocationDetails[].* operationType
    originalRequestId processingTimeInMilliseconds resourceDisplayName resourceId
    resourceServicePrincipalId result resultReason riskDetail riskEventType riskEventTypes[]
    riskEventTypes_v2[] riskLevel riskLevelAggregated riskLevelDuringSignIn riskState riskType
    servicePrincipalCredentialKeyId servicePrincipalCredentialThumbprint servicePrincipalId
    servicePrincipalName sessionId signInEventTypes[] signInIdentifier signInIdentifierType source
    status.* targetResources[].* tokenIssuerName tokenIssuerType tokenProtectionStatusDetails.*
    uniqueTokenIdentifier userAgent userDisplayName userId userPrincipalName userType
"""
_TABLE: Final = """
    AADOperationType AADTenantId ActivityDateTime ActivityDisplayName AdditionalDetails.*
    AlternateSignInName AppDisplayName AppId AuthenticationDetails AuthenticationProtocol
    AuthenticationRequirement AutonomousSystemNumber Category ClientAppUsed ConditionalAccessStatus
    CorrelationId CreatedDateTime DeviceDetail.* DurationMs IPAddress Id Identity InitiatedBy.*
    IsInteractive IsRisky Level Location LocationDetails.* LoggedByService MfaDetail.*
    NetworkLocationDetails OperationName OperationVersion ResourceDisplayName ResourceId
    ResourceIdentity ResourceTenantId Result ResultDescription ResultReason ResultSignature
    ResultType RiskDetail RiskEventTypes RiskLevelAggregated RiskLevelDuringSignIn RiskState
    ServicePrincipalCredentialKeyId ServicePrincipalId ServicePrincipalName SessionId Status.*
    TargetResources[].* TenantId TimeGenerated Type UniqueTokenIdentifier UserAgent
    UserDisplayName UserId UserPrincipalName UserType
"""
FIELDS: Final = frozenset(
    {
        *_GRAPH.split(),
        *_TABLE.split(),
        *(f"properties.{name}" for name in _GRAPH.split()),
        *("Level", "callerIpAddress", "category", "correlationId", "durationMs", "identity"),
        *(
            "level",
            "location",
            "operationName",
            "operationVersion",
            "resourceId",
            "resultDescription",
        ),
        *("resultSignature", "resultType", "tenantId", "time"),
    }
)
CATEGORIES: Final = frozenset(
    {"account_change", "authentication", "detection_finding", "entity_management"}
)
ATTRIBUTES: Final = frozenset(
    """
    api.operation api.service asset.state azure.category azure.correlation_id cloud.account.id
    cloud.provider cloud.region entra.app.id entra.app.name entra.authentication.protocol
    entra.authentication.requirement entra.conditional_access entra.resource.id
    entra.resource.name entra.risk.level entra.risk.state entra.risk.types entra.user.type
    error.code iam.member iam.role session.id
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
_CATEGORY: Final = re.compile(
    rb'(?i)"category"\s*:\s*"(?:\w*SignInLogs|UserRiskEvents|ServicePrincipalRiskEvents)"'
)
_TYPE: Final = re.compile(rb'"Type"\s*:\s*"(?:\w*Sign[iI]nLogs|AuditLogs)"')
_RESOURCE: Final = re.compile(rb'(?i)"resourceId"\s*:\s*"/subscriptions/')
_LEVELS: Final[dict[str, Level]] = {"high": "high", "low": "low", "medium": "medium"}
_MOST: Final = 32  # targets of one change
_DELETES: Final = frozenset({"delete application", "delete user", "remove service principal"})
_KEY: Final = re.compile(r"KeyIdentifier=([\w-]{1,64})")
_SIDES: Final = ("oldValue", "newValue")


def sniff(head: bytes) -> bool:
    """A category of Entra, or the keys that only Graph has together."""
    if b"/providers/microsoft.aadiam" in head.lower() or _CATEGORY.search(head):
        return _RESOURCE.search(head) is None
    if _TYPE.search(head):
        return True
    if b'"activityDisplayName"' in head and b'"initiatedBy"' in head:
        return True
    if b'"riskEventType"' in head and b'"detectionTimingType"' in head:
        return True
    return b'"conditionalAccessStatus"' in head and b'"createdDateTime"' in head


def split(document: bytes) -> Iterator[Raw]:
    """The records of an export, of an answer of Graph, of a list, or one alone."""
    return records(document, "records", "value")


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:  # noqa: ARG001 - no context
    """One sign-in, change or detection."""
    row = azure.folded(record)
    told = _told(row)
    if "riskeventtype" in told:
        found = _risk(row, told, evidence)
    elif "activitydisplayname" in told or "initiatedby" in told or "targetresources" in told:
        found = _change(row, told, evidence)
    elif told.keys() & {"appid", "userprincipalname", "serviceprincipalid"}:
        found = _login(row, told, evidence)
    else:
        raise Unreadable("wrong-shape", "it is no sign-in, audit record or risk detection")
    return Parsed(found, {})


def _login(row: dict[str, Json], told: dict[str, Json], evidence: EventEvidence) -> Event:
    actor = _who(told.get("userprincipalname"), told.get("serviceprincipalid"), told.get("userid"))
    if actor is None:
        actor = azure.principal(told.get("appid"))
    status, code = _signed(row, told)
    resource = text(told.get("resourcedisplayname") or told.get("resourceidentity"), 256)
    app = text(told.get("appdisplayname") or told.get("serviceprincipalname"), 256)
    session = entity("session", told.get("sessionid"))
    key = entity("apikey", told.get("serviceprincipalcredentialkeyid"))
    agent = azure.folded(azure.opened(told.get("agent")))
    known = text(agent.get("agenttype"), 64) not in {None, "notAgentic"}
    acting = entity("agent", told.get("appid"), app) if known else None
    edges: list[Edge] = []
    if actor and status == "success":
        edges += azure.known_as(actor, told.get("userid"))
        edges += [edge(actor, "owns", key)] if key else []
        edges += [edge(actor, "assumes", session)] if session else []
    return Event(
        uid=text(told.get("id"), 128) or evidence.sha256,
        time=_time(row, told),
        source=NAME,
        class_uid=3002,
        class_name="Authentication",
        activity="Logon",
        status=status,
        message=f"sign-in to {resource or 'an application'}" + (f" by {actor.id}" if actor else ""),
        actor=actor,
        client=_client(row, told),
        entities=distinct((actor, acting, session, key, _tenant(row, told))),
        edges=tuple(edges),
        attributes=_attributes(row, told)
        | _kept(
            {
                "entra.app.id": told.get("appid"),
                "entra.app.name": app,
                "entra.authentication.protocol": told.get("authenticationprotocol"),
                "entra.authentication.requirement": told.get("authenticationrequirement"),
                "entra.conditional_access": told.get("conditionalaccessstatus"),
                "entra.resource.id": None
                if told is row and "time" in row
                else told.get("resourceid"),
                "entra.resource.name": resource,
                "entra.risk.level": told.get("risklevelduringsignin"),
                "entra.risk.state": told.get("riskstate"),
                "entra.user.type": told.get("usertype"),
                "error.code": code,
                "session.id": told.get("sessionid"),
            }
        ),
        evidence=evidence,
    )


def _change(row: dict[str, Json], told: dict[str, Json], evidence: EventEvidence) -> Event:
    by = azure.folded(azure.opened(told.get("initiatedby")))
    user, app = azure.folded(by.get("user")), azure.folded(by.get("app"))
    actor = _who(user.get("userprincipalname"), user.get("id"))
    actor = actor or _who(app.get("serviceprincipalid"), app.get("appid"), app.get("displayname"))
    name = text(
        told.get("activitydisplayname") or told.get("operationname") or row.get("operationname"),
        256,
    )
    if name is None:
        raise Unreadable("wrong-shape", "an audit record says what was done")
    result = (text(told.get("result"), 64) or "").lower()
    status: Status = "unknown" if not result else "success" if result == "success" else "failure"
    targets = [azure.folded(one) for one in listing(told.get("targetresources"))[:_MOST]]
    found = [_target(one) for one in targets]
    of_accounts = any(word in name.lower() for word in ("role", "credential", "secret", "password"))
    roles = sorted({one for target in targets for one in _roles(target)})
    keys = list(_keys(targets)) if status != "failure" else []
    gone = status == "success" and name.lower().removeprefix("hard ") in _DELETES and any(found)
    address = user.get("ipaddress") or row.get("calleripaddress")
    return Event(
        uid=text(told.get("id"), 128) or evidence.sha256,
        time=_time(row, told),
        source=NAME,
        class_uid=3001 if of_accounts else 3004,
        class_name="Account Change" if of_accounts else "Entity Management",
        activity=name,
        status=status,
        message=name + (f" by {actor.id}" if actor else ""),
        actor=actor,
        client=Client(ip=known) if (known := text(address, 256)) else None,
        entities=distinct((*found, actor, *(one.to for one in keys), _tenant(row, told))),
        edges=(*azure.known_as(actor, user.get("id")), *keys),
        attributes=_attributes(row, told)
        | ({"asset.state": "deleted"} if gone else {})
        | _kept(
            {
                "api.operation": name,
                "api.service": told.get("loggedbyservice"),
                "error.code": told.get("resultreason") if status == "failure" else None,
                "iam.member": next((one.id for one in found if one is not None), None)
                if roles
                else None,
                "iam.role": (roles[0] if len(roles) == 1 else roles) or None,
            }
        ),
        evidence=evidence,
    )


def _risk(row: dict[str, Json], told: dict[str, Json], evidence: EventEvidence) -> Event:
    actor = _who(told.get("userprincipalname"), told.get("serviceprincipalid"), told.get("userid"))
    kind = text(told.get("riskeventtype"), 128) or "unknown"
    level = (text(told.get("risklevel"), 32) or "").lower()
    return Event(
        uid=text(told.get("id"), 128) or evidence.sha256,
        time=_time(row, told),
        source=NAME,
        class_uid=2004,
        class_name="Detection Finding",
        activity="Create",
        severity=_LEVELS.get(level, "informational"),
        message=kind + (f" of {actor.id}" if actor else ""),
        actor=actor,
        client=_client(row, told),
        entities=distinct((actor, _tenant(row, told))),
        attributes=_attributes(row, told)
        | _kept(
            {
                "entra.risk.level": level,
                "entra.risk.state": told.get("riskstate"),
                "entra.risk.types": kind,
            }
        ),
        evidence=evidence,
    )


def _time(row: dict[str, Json], told: dict[str, Json]) -> int:
    """As an export says it, for by that its records are in order; else as the record does."""
    names = ("createddatetime", "activitydatetime", "detecteddatetime", "timegenerated")
    said = row.get("time") or next((told[name] for name in names if told.get(name)), None)
    return azure.moment(said)


def _who(*said: Json) -> Entity | None:
    return next((one for each in said if (one := azure.principal(each))), None)


def _tenant(row: dict[str, Json], told: dict[str, Json]) -> Entity | None:
    said = row.get("tenantid") or row.get("aadtenantid")
    known = said or azure.part(row.get("resourceid"), "tenants")
    return entity("account", known or told.get("resourcetenantid"))


def _client(row: dict[str, Json], told: dict[str, Json]) -> Client | None:
    address = text(told.get("ipaddress") or row.get("calleripaddress"), 256)
    agent = text(told.get("useragent"), 512)
    return Client(ip=address, user_agent=agent) if address or agent else None


def _signed(row: dict[str, Json], told: dict[str, Json]) -> tuple[Status, str | None]:
    """0 is success, any other number is why not."""
    status = azure.folded(azure.opened(told.get("status")))
    for said in (status.get("errorcode"), row.get("resulttype"), told.get("resulttype")):
        code = text(said, 64)
        if code is not None:
            return ("success", None) if code.lower() in {"0", "success"} else ("failure", code)
    return "unknown", None


def _target(target: dict[str, Json]) -> Entity | None:
    """What was changed: users by name, applications and service principals by id."""
    if text(target.get("type"), 64) in {"User", "ServicePrincipal", "Application"}:
        number = text(target.get("id"), 64) or ""
        name = text(target.get("userprincipalname"), 256) or ""
        # The name of a user who is deleted has his number before it.
        return _who(name.removeprefix(number.replace("-", "")), number)
    return None


def _keys(targets: list[dict[str, Json]]) -> Iterator[Edge]:
    """The keys that an application or service principal got, and those it has no more."""
    for target in targets:
        owner = _target(target)
        for one in map(mapping, listing(target.get("modifiedproperties"))[:_MOST]):
            if owner is None or one.get("displayName") != "KeyDescription":
                continue
            old, new = (set(_KEY.findall(text(one.get(side)) or "")) for side in _SIDES)
            for number in sorted(old ^ new):
                key = Entity(kind="apikey", id=number)
                yield edge(owner, "owns", key, declared=True, ended=number in old)


def _roles(target: dict[str, Json]) -> Iterator[str]:
    """The names of roles among the properties that were changed, which are JSON in texts."""
    for one in listing(target.get("modifiedproperties"))[:_MOST]:
        changed = mapping(one)
        if text(changed.get("displayName"), 64) in {"Role.DisplayName", "AppRole.Value"}:
            for said in (changed.get("newValue"), changed.get("oldValue")):
                name = (text(said, 256) or "").strip('"')
                if name and name != "null":
                    yield name


def _attributes(row: dict[str, Json], told: dict[str, Json]) -> dict[str, Json]:
    place = azure.folded(azure.opened(told.get("location")))
    tenant = _tenant(row, told)
    return _kept(
        {
            "azure.category": row.get("category") or row.get("type"),
            "azure.correlation_id": told.get("correlationid") or row.get("correlationid"),
            "cloud.account.id": tenant and tenant.id,
            "cloud.provider": "azure",
            "cloud.region": place.get("countryorregion"),
        }
    )


def _kept(found: dict[str, Json]) -> dict[str, Json]:
    """What is said, as bounded texts; roles may be several."""
    kept: dict[str, Json] = {}
    for name, one in found.items():
        value: Json = one if name == "iam.role" else text(one, 256)
        if value is not None:
            kept[name] = value
    return kept
