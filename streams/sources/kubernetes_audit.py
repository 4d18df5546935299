"""Kubernetes audit: what was asked of the API server, by whom, and how it ended.

Read are Events of `audit.k8s.io`: alone, as lines of the log backend, in an EventList (the webhook
backend), of EKS as CloudWatch Logs delivers them, and of AKS as Azure Monitor does (categories
kube-audit and kube-audit-admin, the Event a text or an object in `properties.log`). GKE's come as
gcp_audit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qs

import msgspec

from schemas.detection import Logsource
from schemas.entity import Entity
from schemas.event import Client, Edge, Event, EventEvidence, Status
from schemas.times import MINUTE
from streams.names import kubernetes
from streams.records.envelope import records
from streams.records.untrusted import (
    distinct,
    edge,
    entity,
    listing,
    mapping,
    moment,
    number,
    slices,
    text,
)
from streams.source import Json, Narrow, Parsed, Raw, Unreadable
from streams.telemetry.semconv import parted

NAME: Final = "kubernetes_audit"
TITLE: Final = "Kubernetes audit"
LOGSOURCE: Final = Logsource(category="application", product="kubernetes", service="audit")
LATENESS: Final = 5 * MINUTE  # what carries it writes in batches
VERSIONS: Final = "audit.k8s.io/v1 (Kubernetes 1.12 and later)"
GAPS: Final = (
    "A record does not name its cluster: equal namespaces and names of two clusters are one.",
    "Which controller a pod belongs to is guessed from its name where its object is not logged.",
    "An image that an update replaces is known to have ended only when its object is deleted.",
    "At level Metadata objects are not logged: neither images nor models are known.",
)


def _uid(record: Json, sha256: str) -> str:
    """A request has one id, whose stages are records of their own."""
    call = mapping(record)
    known, stage = text(call.get("auditID"), 128), text(call.get("stage"), 32)
    if known is None:
        return sha256
    return known if stage in {None, "ResponseComplete"} else f"{known}/{stage}"


NARROW: Final = Narrow(
    time="stageTimestamp",
    relevant={
        "objectRef.apiGroup": kubernetes.AI_GROUPS | {"rbac.authorization.k8s.io"},
        "objectRef.resource": kubernetes.CONTROLLERS | {"secrets"},
        "objectRef.subresource": frozenset({*kubernetes.OPENED, "token"}),
        "requestObject.kind": frozenset({"pod"}),
    },
    uid=_uid,
)

FIELDS: Final = frozenset(
    """
    annotations.* apiVersion auditID authenticationMetadata.* impersonatedUser.extra.*
    impersonatedUser.groups[] impersonatedUser.uid impersonatedUser.username kind level
    metadata.* objectRef.apiGroup objectRef.apiVersion objectRef.name objectRef.namespace
    objectRef.resource objectRef.resourceVersion objectRef.subresource objectRef.uid
    requestObject.* requestReceivedTimestamp requestURI responseObject.* responseStatus.code
    responseStatus.details.* responseStatus.message responseStatus.metadata.*
    responseStatus.reason responseStatus.status sourceIPs[] stage stageTimestamp user.extra.*
    user.groups[] user.uid user.username userAgent verb
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
CATEGORIES: Final = frozenset({"api_activity"})
ATTRIBUTES: Final = frozenset(
    """
    api.operation api.read_only api.service asset.state error.code iam.member iam.role
    k8s.namespace.name k8s.object.name k8s.object.resource k8s.object.subresource k8s.pod.name
    k8s.user.name process.command_line process.command_line.size url.path
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
_READS: Final = frozenset({"get", "head", "list", "watch"})
_MOST: Final = 64  # words of a command


class _Properties(msgspec.Struct):
    log: msgspec.Raw


class _Carrier(msgspec.Struct):
    properties: _Properties


_CARRIER: Final = msgspec.json.Decoder(_Carrier)
_TEXT: Final = msgspec.json.Decoder(str)


def sniff(head: bytes) -> bool:
    """An Event, in whichever text it lies."""
    return b"audit.k8s.io/v" in head and b"auditID" in head


def split(document: bytes) -> Iterator[Raw]:
    """The Events of a list, of what a cloud delivers, or one alone."""
    return (_event(raw) for raw in list(records(document, "items", "records")))


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:  # noqa: ARG001 - no context
    """One stage of one request."""
    call = mapping(record)
    verb = text(call.get("verb"), 64)
    target, path = _target(call), text(call.get("requestURI"), 2048)
    if verb is None or not (target.resource or path):
        raise Unreadable("wrong-shape", "an Event of an audit has a verb and objectRef or a URI")
    time = moment(call.get("stageTimestamp") or call.get("requestReceivedTimestamp"))
    status, code = _ended(call)
    who = mapping(call.get("user"))
    actor, key, others = _caller(call, who)
    body = _body(call, verb)
    targets, declared = kubernetes.told(target, verb, body)
    tried = "dryRun=" in (path or "").partition("?")[2]  # nothing came of it
    edges: list[Edge] = declared if status == "success" and not tried else []
    gone = status == "success" and not tried and kubernetes.deletes(target, verb)
    edges += [edge(actor, "owns", key)] if actor and key else []
    what = target.resource + (f"/{target.subresource}" if target.subresource else "")
    address = text(next(iter(listing(call.get("sourceIPs"))), None), 256)
    agent = text(call.get("userAgent"), 512)
    kept, private = parted(_command(target, call))
    where = "/".join(part for part in (target.namespace, target.name) if part)
    return Parsed(
        Event(
            uid=_uid(call, evidence.sha256),
            time=time,
            source=NAME,
            class_uid=6003,
            class_name="API Activity",
            activity=f"{verb} {what}" if what else verb,
            status=status,
            message=" ".join(
                part for part in (verb, what, where, f"by {actor.id}" if actor else "") if part
            ),
            actor=actor,
            client=Client(ip=address, user_agent=agent) if address or agent else None,
            entities=distinct((*targets, actor, key, *others)),
            edges=tuple(edges),
            attributes=kept
            | _attributes(call, target, verb, body, code)
            | ({"asset.state": "deleted"} if gone else {}),
            evidence=evidence,
        ),
        private,
    )


def _event(raw: Raw) -> Raw:
    """The Event that Azure Monitor carries as a text or an object, or the record itself."""
    if b'"kube-audit' not in raw.data:
        return raw
    try:
        log = bytes(slices(raw.data, _CARRIER).properties.log)
        return Raw(slices(log, _TEXT).encode() if log.startswith(b'"') else log)
    except Unreadable:  # an Event that only speaks of it
        return raw


def _target(call: dict[str, Json]) -> kubernetes.Target:
    said = mapping(call.get("objectRef"))
    names = ("resource", "name", "namespace", "apiGroup", "subresource")
    return kubernetes.Target(*(text(said.get(name), 256) or "" for name in names))


def _ended(call: dict[str, Json]) -> tuple[Status, str | None]:
    said = mapping(call.get("responseStatus"))
    code = number(said.get("code"))
    if code is not None:
        if code < 400:
            return "success", None
        return "failure", text(said.get("reason"), 128) or f"{code:g}"
    forbidden = mapping(call.get("annotations")).get("authorization.k8s.io/decision") == "forbid"
    return ("failure", "Forbidden") if forbidden else ("unknown", None)


def _caller(
    call: dict[str, Json], who: dict[str, Json]
) -> tuple[Entity | None, Entity | None, list[Entity]]:
    """Who asked, with which key of AWS; then whom he passed for, and the workload that he is."""
    more = mapping(who.get("extra"))
    name = text(who.get("username"), 512)
    role = text(_first(more.get("canonicalArn")) or _first(more.get("arn")), 512)
    aws = role if role and not (name or "").startswith("system:") else None
    actor = kubernetes.principal(aws or name)
    key = entity("apikey", _first(more.get("accessKeyId")))
    passed = kubernetes.principal(mapping(call.get("impersonatedUser")).get("username"))
    pod = text(_first(more.get("authentication.kubernetes.io/pod-name")), 256)
    others = [passed]
    if pod and name and name.startswith("system:serviceaccount:"):
        others.append(kubernetes.workload(name.split(":")[2], kubernetes.controller(pod)))
    return actor, key, [one for one in others if one is not None]


def _body(call: dict[str, Json], verb: str) -> Json:
    """The object as it is after the request, or was before its deletion; else what was asked."""
    answered = mapping(call.get("responseObject"))
    if "spec" in answered or "subjects" in answered or verb == "delete":
        return answered
    return call.get("requestObject")


def _command(target: kubernetes.Target, call: dict[str, Json]) -> dict[str, Json]:
    """What was run in a container: it may hold anything, so it is not kept."""
    if not kubernetes.opened(target):
        return {}
    words = listing(mapping(call.get("requestObject")).get("command"))
    if not words:
        query = (text(call.get("requestURI")) or "").partition("?")[2]
        try:
            words = list(parse_qs(query, max_num_fields=_MOST).get("command", ()))
        except ValueError:  # more fields than that
            words = []
    said = " ".join(one for word in words[:_MOST] if (one := text(word)))
    return {"process.command_line": said} if said else {}


def _attributes(
    call: dict[str, Json], target: kubernetes.Target, verb: str, body: Json, code: str | None
) -> dict[str, Json]:
    what = target.resource + (f"/{target.subresource}" if target.subresource else "")
    found: dict[str, Json] = {
        "api.service": target.group or ("core" if target.resource else None),
        "api.operation": f"{verb} {what}" if what else verb,
        "api.read_only": verb in _READS,
        "error.code": code,
        "k8s.namespace.name": target.namespace or None,
        "k8s.object.name": target.name or None,
        "k8s.object.resource": target.resource or None,
        "k8s.object.subresource": target.subresource or None,
        "k8s.pod.name": (target.name or None) if target.resource == "pods" else None,
        "k8s.user.name": text(mapping(call.get("user")).get("username"), 512),
        "url.path": (text(call.get("requestURI"), 2048) or "").partition("?")[0] or None,
        **kubernetes.granted(target, body),
    }
    return {key: value for key, value in found.items() if value is not None}


def _first(value: Json) -> Json:
    return next(iter(listing(value)), None)
