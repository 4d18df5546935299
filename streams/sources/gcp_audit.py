"""Google Cloud Audit Logs: what was asked of Google's API, by whom, and how it ended.

Read are entries whose `protoPayload` is an AuditLog (Admin Activity, Data Access, System Event and
Policy Denied): alone, in a list, in `{"entries": [...]}`, as files of a sink or lines of `gcloud`,
and pushed by Pub/Sub or pulled from it (`message.data` in base64). The Kubernetes audit of GKE
comes this way too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from schemas.detection import Logsource
from schemas.entity import Entity
from schemas.event import Client, Edge, Event, EventEvidence, Status
from schemas.times import MINUTE
from streams.lineage import vertex
from streams.names import gcp, kubernetes
from streams.records.envelope import records
from streams.records.untrusted import distinct, edge, entity, listing, mapping, moment, text
from streams.source import Json, Narrow, Parsed, Raw, Unreadable
from streams.telemetry.semconv import parted

NAME: Final = "gcp_audit"
TITLE: Final = "Google Cloud Audit Logs"
LOGSOURCE: Final = Logsource(
    product="gcp",
    service="gcp.audit",
    also=("google_workspace.admin", "google_workspace.login"),
)
LATENESS: Final = 15 * MINUTE  # sinks write in batches of some minutes
VERSIONS: Final = "google.cloud.audit.AuditLog in LogEntry v2"
GAPS: Final = (
    "An UndeployModel names no model: which one an endpoint no longer serves is not known from it.",
    "A thing named with the number of its project and with its id is two things.",
    "A job or model whose call runs on has its name in the record of the end only.",
    "Which pod of GKE is whose is guessed from its name where its object is not logged.",
    "Model Armor's own log of what it found (jsonPayload) is not read, only calls of its API.",
)

_WORKLOADS: Final = {
    "apps.v1": ("daemonsets", "deployments", "statefulsets"),
    "authorization.rbac.v1": ("clusterrolebindings", "rolebindings"),
    "batch.v1": ("cronjobs", "jobs"),
    "core.v1": ("pods.attach", "pods.exec", "secrets", "serviceaccounts"),
}
_VERBS: Final = ("create", "delete", "patch", "update")
_KEYS: Final = frozenset(
    {
        "google.api.apikeys.v2.apikeys.createkey",
        "google.api.apikeys.v2.apikeys.deletekey",
        "google.iam.admin.v1.createserviceaccountkey",
        "google.iam.admin.v1.deleteserviceaccountkey",
        "google.logging.v2.configservicev2.deletesink",
        "google.logging.v2.configservicev2.updatesink",
        "setiampolicy",
    }
)


def _uid(record: Json, sha256: str) -> str:
    """An insertId is the only one of its log and moment."""
    entry = mapping(record)
    known, time = text(entry.get("insertId"), 128), text(entry.get("timestamp"), 64)
    return f"{known}@{time}" if known and time else sha256


NARROW: Final = Narrow(
    time="timestamp",
    relevant={
        "protoPayload.serviceName": vertex.SERVICES,
        # From other services: workloads and their images, keys, roles, and what ends logging.
        "protoPayload.methodName": _KEYS
        | {
            f"io.k8s.{group}.{resource}.{verb}"
            for group, ones in _WORKLOADS.items()
            for resource in ones
            for verb in _VERBS
        },
    },
    uid=_uid,
)

# LogEntry and AuditLog as Google documents them.
FIELDS: Final = frozenset(
    """
    errorGroups[].id httpRequest.* insertId labels.* logName operation.first operation.id
    operation.last operation.producer receiveTimestamp resource.labels.* resource.type severity
    sourceLocation.* spanId split.* timestamp trace traceSampled
    protoPayload.@type protoPayload.authenticationInfo.authoritySelector
    protoPayload.authenticationInfo.oauthInfo.*
    protoPayload.authenticationInfo.principalEmail protoPayload.authenticationInfo.principalSubject
    protoPayload.authenticationInfo.serviceAccountDelegationInfo[].*
    protoPayload.authenticationInfo.serviceAccountKeyName
    protoPayload.authenticationInfo.thirdPartyPrincipal.*
    protoPayload.authorizationInfo[].granted protoPayload.authorizationInfo[].permission
    protoPayload.authorizationInfo[].permissionType protoPayload.authorizationInfo[].resource
    protoPayload.authorizationInfo[].resourceAttributes.* protoPayload.metadata.*
    protoPayload.methodName protoPayload.numResponseItems protoPayload.policyViolationInfo.*
    protoPayload.request.* protoPayload.requestMetadata.callerIp
    protoPayload.requestMetadata.callerNetwork
    protoPayload.requestMetadata.callerSuppliedUserAgent
    protoPayload.requestMetadata.destinationAttributes.*
    protoPayload.requestMetadata.requestAttributes.*
    protoPayload.resourceLocation.currentLocations[]
    protoPayload.resourceLocation.originalLocations[] protoPayload.resourceName
    protoPayload.resourceOriginalState.* protoPayload.response.* protoPayload.serviceData.*
    protoPayload.serviceName protoPayload.status.code protoPayload.status.details[].*
    protoPayload.status.message
    """.split()  # noqa: SIM905 - sixty names read better as a paragraph
)
CATEGORIES: Final = frozenset({"api_activity", "authentication"})
ATTRIBUTES: Final = frozenset(
    """
    api.operation api.read_only api.service asset.state cloud.account.id cloud.provider cloud.region
    cloud.resource_id error.code gen_ai.input.messages gen_ai.input.messages.size
    gen_ai.operation.name gen_ai.output.messages gen_ai.output.messages.size
    gen_ai.provider.name gen_ai.request.model guardrail.off iam.change iam.member iam.role
    k8s.cluster.name k8s.namespace.name
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
# google.rpc.Code
_CODES: Final = (
    *("OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND"),
    *("ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION"),
    *("ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"),
    "UNAUTHENTICATED",
)
_CONTENT: Final = ("contents", "instances", "messages", "prompt", "input")
_MOST: Final = 32  # changes of a policy that are looked at


def sniff(head: bytes) -> bool:
    """A log entry with the payload of an audit, which Pub/Sub brings in base64."""
    if b"google.cloud.audit.AuditLog" in head or b"cloudaudit.googleapis.com" in head:
        return b'"protoPayload"' in head
    carried = b'"subscription"' in head or b'"ackId"' in head
    return carried and b'"message"' in head and _pushed(head)


def split(document: bytes) -> Iterator[Raw]:
    """The entries of a list, a page of the API, a push of Pub/Sub, or one alone."""
    return records(document, "entries")


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:  # noqa: ARG001 - no context
    """One call of the API."""
    entry = mapping(record)
    call = mapping(entry.get("protoPayload"))
    method = text(call.get("methodName"), 256)
    if method is None:
        raise Unreadable("wrong-shape", "an audit entry has protoPayload.methodName")
    service = text(call.get("serviceName"), 128) or "an unnamed service"
    time = moment(entry.get("timestamp"))
    asked, answered = mapping(call.get("request")), mapping(call.get("response"))
    status, code = _ended(call)
    actor, key = _caller(mapping(call.get("authenticationInfo")))
    project = _project(entry)
    targets, edges = _said(call, method, asked, answered)
    if not targets:  # what is being made has no name yet but in that of the operation
        made = gcp.resource(mapping(entry.get("operation")).get("id"))
        # What goes by its full name would be named with the number of its project.
        targets = [made] if made is not None and made.kind in {"agent", "job"} else []
    targets = list(distinct(targets))
    if status != "success":
        edges = []
    name = method.rpartition(".")[2]
    if actor and targets and vertex.infers(name) and status == "success":
        edges += [edge(actor, "calls", one) for one in targets if one.kind in {"endpoint", "model"}]
    if actor and key:
        edges.append(edge(actor, "owns", key))
    login = service == "login.googleapis.com"
    meta = mapping(call.get("requestMetadata"))
    address = text(meta.get("callerIp") or meta.get("callerIP"), 256)
    agent = text(meta.get("callerSuppliedUserAgent"), 512)
    ends = (one for each in edges for one in (each.from_, each.to))
    kept, private = parted(_content(name, asked, answered))
    return Parsed(
        Event(
            uid=_uid(entry, evidence.sha256),
            time=time,
            source=NAME,
            class_uid=3002 if login else 6003,
            class_name="Authentication" if login else "API Activity",
            activity=method,
            status=status,
            message=f"{method} on {service}" + (f" by {actor.id}" if actor else ""),
            actor=actor,
            client=Client(ip=address, user_agent=agent) if address or agent else None,
            entities=distinct((*targets, *ends, actor, key, entity("account", project))),
            edges=tuple(edges),
            attributes=kept
            | _attributes(entry, call, targets, code)
            | ({"asset.state": "deleted"} if status == "success" and _gone(entry, call) else {}),
            evidence=evidence,
        ),
        private,
    )


def _gone(entry: dict[str, Json], call: dict[str, Json]) -> bool:
    """True once what was acted upon is no more: a call that runs on only asks for it at first."""
    running = mapping(entry.get("operation"))
    if running.get("first") is True and running.get("last") is not True:
        return False
    method, name = str(call.get("methodName")), call.get("resourceName")
    if _of_kubernetes(call, method):
        return kubernetes.deletes(gcp.target(name), method.rpartition(".")[2])
    return gcp.deletes(method, name)


def _pushed(head: bytes) -> bool:
    try:
        found = [raw.data for raw in records(head)]
    except Unreadable:
        return False
    return any(b"google.cloud.audit.AuditLog" in one for one in found)


def _ended(call: dict[str, Json]) -> tuple[Status, str | None]:
    code = mapping(call.get("status")).get("code")
    if isinstance(code, int) and not isinstance(code, bool) and code != 0:
        return "failure", _CODES[code] if 0 < code < len(_CODES) else str(code)
    rights = (mapping(one).get("granted") for one in listing(call.get("authorizationInfo"))[:_MOST])
    return ("failure", "PERMISSION_DENIED") if False in rights else ("success", None)


def _caller(who: dict[str, Json]) -> tuple[Entity | None, Entity | None]:
    """Who called, and with which key of a service account."""
    third = mapping(mapping(who.get("thirdPartyPrincipal")).get("thirdPartyClaims")).get("sub")
    named = who.get("principalEmail") or who.get("principalSubject") or third
    return gcp.principal(named), gcp.resource(who.get("serviceAccountKeyName"), "apikey")


def _said(
    call: dict[str, Json], method: str, asked: dict[str, Json], answered: dict[str, Json]
) -> tuple[list[Entity], list[Edge]]:
    """What was acted upon, and the edges that it declares."""
    if _of_kubernetes(call, method):
        body = _object(asked, answered)
        things, declared = kubernetes.told(
            gcp.target(call.get("resourceName")), method.rpartition(".")[2], body
        )
        return list(things), declared
    named = gcp.resources(call.get("resourceName"))
    known = named[0] if named else None
    made = gcp.resource(answered.get("name")), gcp.model(answered.get("model"))
    found = [*named, *(one for one in made if one), *_named(asked), *vertex.guardrails(asked)]
    name = method.rpartition(".")[2]
    edges = list(vertex.lineage(name, known, asked, answered))
    edges += _owned(method, call, made[0])
    rails = [one for one in vertex.guardrails(asked) if known and known.kind == "endpoint"]
    edges += [edge(known, "guarded_by", one) for one in rails if known]
    members = listing(_granted(call).get("iam.member"))
    return found + [one for one in map(gcp.principal, members) if one], edges


def _of_kubernetes(call: dict[str, Json], method: str) -> bool:
    return method.startswith("io.k8s.") or call.get("serviceName") == "k8s.io"


def _object(asked: dict[str, Json], answered: dict[str, Json]) -> dict[str, Json]:
    return asked if "spec" in asked or "subjects" in asked else answered


def _named(asked: dict[str, Json]) -> Iterator[Entity]:
    """Models, endpoints and agents that a request names."""
    for said in (asked.get("endpoint"), asked.get("name"), asked.get("model")):
        found = gcp.resource(said) if isinstance(said, str) else None
        if found is not None:
            yield found


def _owned(method: str, call: dict[str, Json], made: Entity | None) -> Iterator[Edge]:
    """A key of a service account is made, or is gone."""
    if not method.endswith(("CreateServiceAccountKey", "DeleteServiceAccountKey")):
        return
    named = gcp.resources(call.get("resourceName"))
    key = made or next((one for one in named if one.kind == "apikey"), None)
    owner = next((one for one in named if one.kind == "principal"), None)
    if owner is None:
        owner = gcp.resource(mapping(call.get("response")).get("name"), "principal")
    if key and owner and key.kind == "apikey":
        yield edge(owner, "owns", key, declared=True, ended="Delete" in method)


def _project(entry: dict[str, Json]) -> str | None:
    known = text(mapping(mapping(entry.get("resource")).get("labels")).get("project_id"), 128)
    name = entry.get("logName")
    return known or gcp.part(name, "projects") or gcp.part(name, "organizations")


def _content(name: str, asked: dict[str, Json], answered: dict[str, Json]) -> dict[str, Json]:
    """What people and models said, where data access is logged with it."""
    if not vertex.infers(name):
        return {}
    said = next((asked[one] for one in _CONTENT if asked.get(one)), None)
    heard = answered.get("candidates") or answered.get("predictions")
    both = {"gen_ai.input.messages": said, "gen_ai.output.messages": heard}
    return {name: value for name, value in both.items() if value is not None}


def _attributes(
    entry: dict[str, Json], call: dict[str, Json], targets: list[Entity], code: str | None
) -> dict[str, Json]:
    method, service = str(call.get("methodName")), text(call.get("serviceName"), 128)
    labels = mapping(mapping(entry.get("resource")).get("labels"))
    places = listing(mapping(call.get("resourceLocation")).get("currentLocations"))
    kinds = [mapping(o).get("permissionType") for o in listing(call.get("authorizationInfo"))]
    name = method.rpartition(".")[2]
    asked = mapping(call.get("request"))
    model = next((one.id for one in targets if one.kind == "model"), None)
    gemini = service == "generativelanguage.googleapis.com"
    provider = "gcp.gemini" if gemini else "gcp.vertex_ai" if service in vertex.SERVICES else None
    found: dict[str, Json] = {
        "api.service": service,
        "api.operation": method[:256],
        "api.read_only": all("READ" in str(one) for one in kinds) if any(kinds) else None,
        "cloud.provider": "gcp",
        "cloud.account.id": _project(entry),
        "cloud.region": text(labels.get("location") or next(iter(places), None), 64)
        or gcp.part(call.get("resourceName"), "locations"),
        "cloud.resource_id": text(call.get("resourceName"), 512),
        "error.code": code,
        "guardrail.off": vertex.unsafe(asked) or None,
        "gen_ai.provider.name": provider,
        "gen_ai.operation.name": vertex.operation(name, call.get("resourceName")),
        "gen_ai.request.model": model if vertex.infers(name) else None,
        "k8s.cluster.name": text(labels.get("cluster_name"), 128),
        "k8s.namespace.name": gcp.part(call.get("resourceName"), "namespaces"),
        **_granted(call),
    }
    return {key: value for key, value in found.items() if value is not None}


def _granted(call: dict[str, Json]) -> dict[str, Json]:
    """Roles that a change of a policy, or a binding of Kubernetes, gives or takes."""
    if _of_kubernetes(call, str(call.get("methodName"))):
        body = _object(mapping(call.get("request")), mapping(call.get("response")))
        return kubernetes.granted(gcp.target(call.get("resourceName")), body)
    said = mapping(call.get("serviceData")) or mapping(call.get("metadata"))
    deltas = listing(mapping(said.get("policyDelta")).get("bindingDeltas"))[:_MOST]
    found: dict[str, Json] = {}
    for name, key in (("iam.change", "action"), ("iam.member", "member"), ("iam.role", "role")):
        values = (text(mapping(one).get(key), 256) for one in deltas)
        found[name] = sorted({one for one in values if one}) or None
    return found
