"""Azure Activity log: what was changed in a subscription, by whom, and how it ended.

Read are records as diagnostic settings export them (`{"records": [...]}` in a storage account or an
Event Hub, or one a line), as the REST API and `az monitor activity-log list` give them, and rows of
the table AzureActivity. `properties`, `claims` and what was asked may be objects or texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from schemas.detection import Logsource
from schemas.entity import Entity
from schemas.event import Client, Edge, Event, EventEvidence, Status
from schemas.times import MINUTE
from streams.names import azure
from streams.records.envelope import records
from streams.records.untrusted import distinct, edge, entity, listing, mapping, text
from streams.source import Json, Narrow, Parsed, Raw, Unreadable
from streams.telemetry.verdicts import category

NAME: Final = "azure_activity"
TITLE: Final = "Azure Activity log"
LOGSOURCE: Final = Logsource(product="azure", service="activitylogs")
LATENESS: Final = 20 * MINUTE  # Azure says 3 to 20 minutes
VERSIONS: Final = (
    "Activity log schema of exports (2018-11-01), REST 2015-04-01, table AzureActivity"
)
GAPS: Final = (
    "What a deployment serves is said by bodies of requests and answers, which exports often lack.",
    "A record of an export has no id: the same one from two exports is two, if their bytes differ.",
)

_ACTIONS: Final = frozenset(
    """
    microsoft.authorization/locks/delete microsoft.authorization/roleassignments/delete
    microsoft.authorization/roleassignments/write
    microsoft.cognitiveservices/accounts/listkeys/action
    microsoft.cognitiveservices/accounts/regeneratekey/action
    microsoft.insights/diagnosticsettings/delete microsoft.insights/diagnosticsettings/write
    microsoft.machinelearningservices/workspaces/listkeys/action
    microsoft.machinelearningservices/workspaces/onlineendpoints/deployments/delete
    microsoft.machinelearningservices/workspaces/onlineendpoints/deployments/write
    microsoft.machinelearningservices/workspaces/onlineendpoints/listkeys/action
    microsoft.machinelearningservices/workspaces/onlineendpoints/regeneratekeys/action
    microsoft.search/searchservices/listadminkeys/action
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
_RELEVANT: Final = _ACTIONS | {
    f"{kind}/{verb}" for kind in azure.AI_TYPES for verb in ("write", "delete")
}


def _uid(record: Json, sha256: str) -> str:
    return text(azure.folded(record).get("eventdataid"), 128) or sha256


NARROW: Final = Narrow(
    time="time",
    clock=azure.moment,
    relevant={
        "operationName": _RELEVANT,
        "operationName.value": _RELEVANT,
        "OperationNameValue": _RELEVANT,
    },
    uid=_uid,
)

# The three shapes: of exports, of the REST API, of the table.
FIELDS: Final = frozenset(
    """
    ReleaseVersion RoleLocation callerIpAddress category correlationId durationMs identity.*
    level location operationName operationVersion properties.* resourceId resultDescription
    resultSignature resultType tenantId time
    authorization.* caller category.localizedValue category.value channels claims.* description
    eventDataId eventName.* eventTimestamp httpRequest.* id operationId operationName.localizedValue
    operationName.value resourceGroupName resourceProviderName.* resourceType.* status.* subStatus.*
    submissionTimestamp subscriptionId
    ActivityStatusValue ActivitySubstatusValue Authorization Authorization_d.* Caller
    CallerIpAddress Category CategoryValue Claims Claims_d.* CorrelationId EventDataId
    EventSubmissionTimestamp HTTPRequest Hierarchy Level OperationId OperationName
    OperationNameValue Properties Properties_d.* Resource ResourceGroup ResourceId ResourceProvider
    ResourceProviderValue SubscriptionId TenantId TimeGenerated Type _ResourceId
    """.split()  # noqa: SIM905 - ninety names read better as a paragraph
)
CATEGORIES: Final = frozenset({"api_activity"})
ATTRIBUTES: Final = frozenset(
    """
    api.operation api.service asset.state azure.category azure.correlation_id
    azure.local_auth.disabled azure.public_network_access azure.result cloud.account.id
    cloud.provider cloud.region cloud.resource_id error.code gen_ai.request.model
    guardrail.off iam.member iam.role
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
_KINDS: Final = frozenset(
    """
    administrative policy security servicehealth alert recommendation resourcehealth autoscale
    write delete action
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
_HEAD: Final = re.compile(
    rb'"(?i:category|categoryValue)"\s*:\s*(?:\{\s*(?:"localizedValue"\s*:\s*"[^"]{0,64}"\s*,\s*)?'
    rb'"value"\s*:\s*)?"(?i:' + "|".join(sorted(_KINDS)).encode() + rb')"'
)
_UPN: Final = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"
_NAME: Final = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"
_OBJECT: Final = "http://schemas.microsoft.com/identity/claims/objectidentifier"
_ENDS: Final[dict[str, Status]] = {
    "failed": "failure",
    "failure": "failure",
    "succeeded": "success",
    "success": "success",
}
_MOST: Final = 64  # filters of one policy


def sniff(head: bytes) -> bool:
    """One of the categories of this log, beside an operation on a resource."""
    if b'"protoPayload"' in head or _HEAD.search(head) is None:
        return False
    lower = head.lower()
    return b'"operationname' in lower and b'"resourceid"' in lower and b"/subscriptions/" in lower


def split(document: bytes) -> Iterator[Raw]:
    """The records of an export, of an answer of the API, of a list, or one alone."""
    return records(document, "records", "value")


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:  # noqa: ARG001 - no context
    """One step of one operation."""
    row = azure.folded(record)
    operation = azure.said(row.get("operationnamevalue")) or azure.said(row.get("operationname"))
    target = text(row.get("resourceid") or row.get("_resourceid"), 1024)
    kind = azure.said(row.get("categoryvalue")) or azure.said(row.get("category"))
    if operation is None or kind is None or kind.lower() not in _KINDS:
        raise Unreadable(
            "wrong-shape", "an activity has an operationName and one of its categories"
        )
    time = azure.moment(row.get("time") or row.get("eventtimestamp") or row.get("timegenerated"))
    claims = azure.opened(mapping(row.get("identity")).get("claims") or row.get("claims"))
    actor = _actor(row, claims)
    result = azure.said(
        row.get("activitystatusvalue") or row.get("status") or row.get("resulttype")
    )
    status = _ENDS.get((result or "").lower(), "unknown")
    told = azure.folded(azure.opened(row.get("properties")))
    body = azure.folded(azure.opened(told.get("responsebody") or told.get("requestbody")))
    things = azure.resources(target)
    gone = status == "success" and azure.deletes(operation, target)
    edges = list(_edges(things, body)) if status == "success" else []
    known = (one for each in edges for one in (each.from_, each.to))
    account = azure.part(target, "subscriptions") or text(row.get("subscriptionid"), 128)
    address = text(row.get("calleripaddress"), 256)
    address = address or text(mapping(row.get("httprequest")).get("clientIpAddress"), 256)
    return Parsed(
        Event(
            uid=_uid(record, evidence.sha256),
            time=time,
            source=NAME,
            class_uid=6003,
            class_name="API Activity",
            activity=operation,
            status=status,
            message=operation + (f" by {actor.id}" if actor else ""),
            actor=actor,
            client=Client(ip=address) if address else None,
            entities=distinct(
                (
                    *things,
                    *known,
                    _key(operation, things, body),
                    azure.principal(_granted(operation, body)[0]),
                    actor,
                    entity("account", account),
                )
            ),
            edges=(*azure.known_as(actor, claims.get(_OBJECT)), *edges),
            attributes=_attributes(row, operation, body, status)
            | {"cloud.account.id": account or "", "cloud.resource_id": (target or "").lower()}
            | ({"asset.state": "deleted"} if gone else {}),
            evidence=evidence,
        ),
        {},
    )


def _actor(row: dict[str, Json], claims: dict[str, Json]) -> Entity | None:
    """A user by name, an application by its object."""
    named = (claims.get(_UPN), row.get("caller"), claims.get(_NAME), claims.get("name"))
    users = (text(one, 256) for one in named)
    user = next((one for one in users if one and "@" in one), None)
    others = (row.get("caller"), claims.get(_OBJECT), claims.get("appid"))
    return azure.principal(user or next((one for one in others if text(one)), None))


def _key(operation: str, things: tuple[Entity, ...], body: dict[str, Json]) -> Entity | None:
    """The key that was made anew: `azure/<account>/key1`."""
    name = text(body.get("keyname"), 64)
    if name is None or not things or not operation.lower().endswith("regeneratekey/action"):
        return None
    return entity("apikey", f"{things[0].id}/{name.lower()}")


def _edges(things: tuple[Entity, ...], body: dict[str, Json]) -> Iterator[Edge]:
    """What a deployment serves, and the policy that it stands behind."""
    if not things or things[0].kind != "endpoint":
        return
    said = azure.folded(body.get("properties"))
    model = mapping(said.get("model"))
    served = azure.model(model.get("name"), model.get("version")) or (
        next(iter(azure.resources(said.get("model"))), None)
    )
    if served:
        yield edge(things[0], "serves", served, declared=True)
    policy = text(said.get("raipolicyname"), 128)
    if policy and things[1:]:
        rail = entity("guardrail", f"{things[1].id}/{policy.lower()}")
        if rail:
            yield edge(things[0], "guarded_by", rail, declared=True)


def _granted(operation: str, body: dict[str, Json]) -> tuple[str | None, str | None]:
    """To whom which role is given, or from whom it is taken."""
    if "/roleassignments/" not in operation.lower():
        return None, None
    said = azure.folded(body.get("properties"))
    role = text(said.get("roledefinitionid"), 512)
    return text(said.get("principalid"), 128), role and role.lower().rpartition("/")[2]


def _attributes(
    row: dict[str, Json], operation: str, body: dict[str, Json], status: Status
) -> dict[str, Json]:
    said = azure.folded(body.get("properties"))
    member, role = _granted(operation, body)
    model = mapping(said.get("model"))
    served = azure.model(model.get("name"), model.get("version"))
    filters = (azure.folded(one) for one in listing(said.get("contentfilters"))[:_MOST])
    off = (one for one in filters if one.get("blocking") is False or one.get("enabled") is False)
    local = said.get("disablelocalauth")
    sub = azure.said(row.get("activitysubstatusvalue") or row.get("substatus"))
    found: dict[str, Json] = {
        "api.service": operation.partition("/")[0].lower(),
        "api.operation": operation,
        "azure.category": azure.said(row.get("categoryvalue")) or azure.said(row.get("category")),
        "azure.local_auth.disabled": local if isinstance(local, bool) else None,
        "azure.public_network_access": text(said.get("publicnetworkaccess"), 32),
        "azure.result": azure.said(
            row.get("activitystatusvalue") or row.get("status") or row.get("resulttype")
        ),
        "cloud.provider": "azure",
        "cloud.region": text(row.get("location"), 64),
        "error.code": (sub or text(row.get("resultsignature"), 128) or "failure")
        if status == "failure"
        else None,
        "gen_ai.request.model": served and served.id,
        "guardrail.off": sorted({one for f in off if (one := category(f.get("name")))}) or None,
        "iam.member": member and member.lower(),
        "iam.role": role,
        "azure.correlation_id": text(row.get("correlationid"), 64),
    }
    return {key: value for key, value in found.items() if value is not None}
