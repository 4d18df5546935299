"""AWS CloudTrail: what was asked of the AWS API, by whom, and how it ended.

Read are files of a trail (`{"Records": [...]}`), EventBridge events (the record is in `detail`),
answers of LookupEvents (in `CloudTrailEvent`, a text), subscriptions of CloudWatch Logs, a list of
records, and one record alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from schemas.detection import Logsource
from schemas.entity import Entity, image, principal
from schemas.event import Edge, Event, EventEvidence, Status
from schemas.times import MINUTE
from streams.lineage import gateway
from streams.lineage.aws_calls import Told, told
from streams.names import addresses, aws, identity
from streams.records import envelope
from streams.records.untrusted import distinct, edge, entity, listing, mapping, moment, slices, text
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "cloudtrail"
TITLE: Final = "AWS CloudTrail"
LOGSOURCE: Final = Logsource(product="aws", service="cloudtrail")
VERSIONS: Final = "eventVersion 1.05 to 1.11; calls of AI services as botocore 1.44 has them"
GAPS: Final = (
    "AssumeRole is read where a rule asks for it: else a session is known by its calls of AI.",
    "An endpoint that is updated serves its old configuration too: the call does not say which.",
    "A custom model is two: by its name where it was made and by its ARN where it is called.",
    "Of InvokeGateway method and tool are read: the source bedrock_agentcore has what was said.",
)
LATENESS: Final = 15 * MINUTE  # AWS delivers within about five minutes, not always

_AI: Final = """
bedrock bedrock-agent bedrock-agent-runtime bedrock-agentcore bedrock-agentcore-control
bedrock-data-automation bedrock-data-automation-runtime bedrock-runtime runtime.sagemaker sagemaker
sagemaker-featurestore-runtime sagemaker-geospatial sagemaker-runtime
""".split()  # noqa: SIM905 - names read better as a paragraph
_ID: Final = 128  # characters
# Calls that end what stands first among their things, beside those of lineage.
_NO_KEY: Final = frozenset({"deleteaccesskey", "deleteservicespecificcredential"})
_ENDS: Final = _NO_KEY | {"deletebucket"}


def _uid(record: Json, sha256: str) -> str:
    return text(mapping(record).get("eventID"), _ID) or sha256


def _told(record: Json) -> tuple[dict[str, Json], str, str]:
    """The record of a call or an insight, with the name and service that it tells of."""
    if not isinstance(record, dict):
        raise Unreadable("wrong-shape", "a record is an object")
    call = mapping(record)
    told = mapping(call.get("insightDetails")) or call
    name, service = text(told.get("eventName"), 128), text(told.get("eventSource"), 128)
    if name is None or service is None:
        raise Unreadable("wrong-shape", "a record has eventName and eventSource")
    if service.startswith("aws:"):
        raise Unreadable("wrong-shape", f"a notification of {service}, no record of CloudTrail")
    return call, name, service


def _entities(record: Json) -> tuple[Entity, ...]:
    return _named(*_told(record)).entities


NARROW: Final = Narrow(
    time="eventTime",
    relevant={
        "eventSource": frozenset(f"{service}.amazonaws.com" for service in _AI),
        # From other services: which image a workload runs, and the long-term keys of Bedrock.
        "eventName": frozenset(
            {"registertaskdefinition", "createservicespecificcredential", *_NO_KEY}
        ),
    },
    uid=_uid,
    check=_told,  # the time is judged before
    looks=("eventName", "eventSource", "insightDetails"),
    named=("eventID", _ID),
    entities=_entities,
)

# The contents of a record as AWS documents them, management, data, network and Insights events.
FIELDS: Final = frozenset(
    """
    additionalEventData.* addendum.originalEventID addendum.originalRequestID addendum.reason
    addendum.updatedFields annotation apiVersion awsRegion edgeDeviceDetails.* errorCode
    errorMessage eventCategory eventContext.requestContext.* eventContext.tagContext.* eventID
    eventName eventSource eventTime eventType eventVersion insightDetails.* managementEvent
    readOnly recipientAccountId requestID requestParameters.* resources[].ARN
    resources[].ARNPrefix resources[].accountId resources[].type responseElements.*
    serviceEventDetails.* sessionCredentialFromConsole sharedEventID sourceIPAddress
    tlsDetails.cipherSuite tlsDetails.clientProvidedHostHeader tlsDetails.keyExchange
    tlsDetails.tlsVersion userAgent userIdentity.accessKeyId userIdentity.accountId
    userIdentity.arn userIdentity.credentialId userIdentity.identityProvider
    userIdentity.inScopeOf.credentialsIssuedTo userIdentity.inScopeOf.issuerType
    userIdentity.inScopeOf.sourceAccount userIdentity.inScopeOf.sourceArn userIdentity.invokedBy
    userIdentity.invokedByDelegate.* userIdentity.onBehalfOf.identityStoreArn
    userIdentity.onBehalfOf.userId userIdentity.principalId
    userIdentity.sessionContext.assumedRoot
    userIdentity.sessionContext.attributes.creationDate
    userIdentity.sessionContext.attributes.mfaAuthenticated
    userIdentity.sessionContext.ec2RoleDelivery
    userIdentity.sessionContext.sessionIssuer.accountId
    userIdentity.sessionContext.sessionIssuer.arn
    userIdentity.sessionContext.sessionIssuer.principalId
    userIdentity.sessionContext.sessionIssuer.type
    userIdentity.sessionContext.sessionIssuer.userName userIdentity.sessionContext.sourceIdentity
    userIdentity.sessionContext.webIdFederationData.attributes.*
    userIdentity.sessionContext.webIdFederationData.federatedProvider userIdentity.type
    userIdentity.userName vpcEndpointAccountId vpcEndpointId
    """.split()  # noqa: SIM905 - sixty names read better as a paragraph
)
CATEGORIES: Final = frozenset({"api_activity", "authentication"})
ATTRIBUTES: Final = frozenset(
    """
    api.operation api.read_only api.service asset.state aws.bedrock.guardrail.id aws.request_id
    cloud.region error.code gen_ai.provider.name gen_ai.request.model gen_ai.tool.name
    identity.link mcp.method.name
    """.split()  # noqa: SIM905 - names read better as a paragraph
)

_INVOKE: Final = frozenset(
    """
    Converse ConverseStream InvokeAgent InvokeAgentRuntime InvokeEndpoint InvokeEndpointAsync
    InvokeEndpointWithResponseStream InvokeModel InvokeModelWithBidirectionalStream
    InvokeModelWithResponseStream StartAsyncInvoke
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
_INVOKED: Final = {"agent": "uses", "endpoint": "calls", "model": "calls"}
_IMAGES: Final = 32  # containers of one task definition that are looked at
_DELETED: Final[dict[str, Json]] = {"asset.state": "deleted"}
_HIDDEN: Final = "HIDDEN_DUE_TO_SECURITY_REASONS"  # a failed login's name: it may be a password
_NONE: Final = msgspec.Raw()
_WRAPPED: Final = (
    *(b'"Records"', b'"detail"', b'"digestS3Bucket"', b'"CloudTrailEvent"', b'"logEvents"'),
)


class _Found(msgspec.Struct):
    record: str = msgspec.field(name="CloudTrailEvent")


class _Wrapper(msgspec.Struct):
    events: list[_Found] | None = msgspec.field(default=None, name="Events")
    records: list[msgspec.Raw] | None = msgspec.field(default=None, name="Records")
    detail: msgspec.Raw = _NONE
    digest: msgspec.Raw = msgspec.field(default=_NONE, name="digestS3Bucket")
    name: msgspec.Raw = msgspec.field(default=_NONE, name="eventName")
    lines: msgspec.Raw = msgspec.field(default=_NONE, name="logEvents")


_WRAPPER: Final = msgspec.json.Decoder(_Wrapper)
_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])


def sniff(head: bytes) -> bool:
    """A record has a service and a call, and nearly always the service's full name."""
    if b'"digestS3Bucket"' in head or b'"CloudTrailEvent"' in head:
        return True
    service = b'"eventID"' in head or b".amazonaws.com" in head or b"AwsCloudTrailInsight" in head
    quoted = b'\\"' if b'"logEvents"' in head else b'"'  # there a record is a text
    names = (b"eventSource", b"eventName")
    return service and all(b"%b%b%b" % (quoted, name, quoted) in head for name in names)


def split(document: bytes) -> Iterator[Raw]:
    """The records of a trail's file, an event, a list or a record."""
    if document[:1].isspace():
        document = document.strip()
    if document.startswith(b"["):
        records = slices(document, _LIST)
    elif not any(key in document for key in _WRAPPED):
        return iter((Raw(document),))  # nearly all of NDJSON: not looked at twice
    else:
        wrapper = slices(document, _WRAPPER)
        if wrapper.digest is not _NONE:
            raise Unreadable("wrong-shape", "a digest file: hashes of log files, no records")
        if wrapper.events is not None:
            return (Raw(one.record.encode()) for one in wrapper.events)
        if wrapper.lines is not _NONE:
            return envelope.records(document)
        if wrapper.records is not None:
            records = wrapper.records
        elif wrapper.detail is not _NONE and wrapper.name is _NONE:
            records = [wrapper.detail]
        else:  # a record that only speaks of such things
            return iter((Raw(document),))
    return (Raw(bytes(record)) for record in records)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:  # noqa: ARG001 - no context
    """One call of the API, or one insight about calls."""
    call, name, service = _told(record)
    time = moment(call.get("eventTime"))
    asked = mapping(call.get("requestParameters"))
    named = _named(call, name, service)
    entities, targets, actor, owned, known, lineage, used = named
    answered, refused = call.get("responseElements"), gateway.refused(call)
    status = _status(call, refused)
    login = name == "ConsoleLogin"
    attributes = _attributes(service, name, call, asked, known, refused)
    attributes |= used.attributes
    if status == "success" and targets and _gone(name, lineage):
        attributes |= _DELETED
    return Parsed(
        Event(
            uid=_uid(call, evidence.sha256),
            time=time,
            source=NAME,
            class_uid=3002 if login else 6003,
            class_name="Authentication" if login else "API Activity",
            activity=name,
            status=status,
            message=f"{name} on {service}" + (f" by {actor.id}" if actor else ""),
            actor=actor,
            client=addresses.client(call.get("sourceIPAddress"), call.get("userAgent")),
            entities=entities,
            edges=(
                *_edges(name, call, status, named),
                *((*lineage.edges, *used.edges) if status == "success" else ()),
                *(identity.chain(known, actor, owned) if known else ()),
                *(identity.assumed(actor, answered) if service.startswith("sts.") else ()),
            ),
            attributes=attributes,
            evidence=evidence,
        ),
        {},
    )


class _Named(NamedTuple):
    """What a call names: all of it, what it acted upon, who called with which key, and ties."""

    entities: tuple[Entity, ...]
    targets: tuple[Entity, ...]
    actor: Entity | None
    owned: Entity | None
    known: identity.Caller | None
    lineage: Told
    used: gateway.Used


def _named(call: dict[str, Json], name: str, service: str) -> _Named:
    who, asked = mapping(call.get("userIdentity")), mapping(call.get("requestParameters"))
    actor, known = _actor(call, who), _caller(service, who)
    # A call with a bearer token (a key of Bedrock's own) has the id of that instead.
    owned = entity("apikey", who.get("accessKeyId") or who.get("credentialId"))
    lineage, used = told(service, name, call), gateway.used(service, call)
    targets = (*lineage.things[:1], *_targets(service, call, asked))
    targets = (*targets, *lineage.things[1:], *used.things)
    account = entity("account", call.get("recipientAccountId"))
    ties = (known.session, known.person) if known else ()
    entities = distinct((*targets, actor, owned, account, *ties))
    return _Named(entities, targets, actor, owned, known, lineage, used)


def _gone(name: str, lineage: Told) -> bool:
    return lineage.gone or name.lower() in _ENDS


def _status(call: dict[str, Json], refused: str | None) -> Status:
    if call.get("errorCode") or call.get("errorMessage") or refused:
        return "failure"
    login = mapping(call.get("responseElements")).get("ConsoleLogin")
    return "failure" if login == "Failure" else "unknown" if "insightDetails" in call else "success"


def _actor(call: dict[str, Json], who: dict[str, Json]) -> Entity | None:
    """Who called: sessions of a role are the role, a service is its name, a token its bearer."""
    arn = who.get("arn")
    if isinstance(arn, str) and arn.startswith("arn:"):
        return _principal(arn)
    name = who.get("userName")
    if who.get("type") == "IAMUser" and name != _HIDDEN:
        known = aws.user(call.get("awsRegion"), who.get("accountId"), name)
        if known is not None:
            return known
    issuer = mapping(mapping(who.get("sessionContext")).get("sessionIssuer")).get("arn")
    if isinstance(issuer, str) and issuer.startswith("arn:"):
        return _principal(issuer)
    holder = gateway.bearer(call)
    if holder is not None:
        return holder
    user = mapping(who.get("onBehalfOf")).get("userId")
    names = (who.get("invokedBy"), user, who.get("principalId"), name, who.get("accountId"))
    return next((entity("principal", one) for one in names if text(one) and one != _HIDDEN), None)


def _caller(service: str, who: dict[str, Json]) -> identity.Caller | None:
    """What ties a call of an AI service to more than a role, where the record has its session."""
    session = mapping(who.get("sessionContext"))
    if not service.startswith(("bedrock", "runtime.sagemaker", "sagemaker")):
        return None
    if not session and who.get("type") not in ("IAMUser", "Root"):
        return None
    return identity.caller(who.get("arn"), session.get("sourceIdentity"))


def _targets(service: str, call: dict[str, Json], asked: dict[str, Json]) -> list[Entity]:
    """What was acted upon, by what the services call it."""
    answered = mapping(call.get("responseElements"))
    found: tuple[Entity | None, ...] = ()
    if service.startswith("bedrock"):
        guardrail = mapping(asked.get("guardrailConfig")).get("guardrailIdentifier")
        agent = aws.tail(asked.get("agentRuntimeArn")) or asked.get("agentRuntimeId")
        found = (
            aws.model(asked.get("modelId") or asked.get("modelIdentifier")),
            entity("agent", asked.get("agentId") or agent),
            entity("datastore", asked.get("knowledgeBaseId")),
            entity("guardrail", aws.tail(asked.get("guardrailIdentifier") or guardrail)),
            entity("guardrail", answered.get("guardrailId")),
        )
    elif "sagemaker" in service:
        found = (
            entity("endpoint", asked.get("endpointName")),
            entity("model", asked.get("modelName")),
        )
    elif service.startswith("ecs."):
        # A change of the network alone names no task definition; the answer does.
        named = asked.get("taskDefinition") or asked.get("family")
        kept = mapping(answered.get("service")).get("taskDefinition")
        found = (
            aws.task(asked.get("cluster"), named or kept),
            *map(_image, listing(asked.get("containerDefinitions"))[:_IMAGES]),
        )
    elif service.startswith("s3.") and text(bucket := asked.get("bucketName"), 256):
        found = (entity("datastore", f"s3/{bucket}"),)
    elif service.startswith("sts.") and text(role := asked.get("roleArn"), 512):
        found = (_principal(role),)
    elif service.startswith("iam."):
        made = mapping(answered.get("serviceSpecificCredential"))
        found = (
            entity("apikey", mapping(answered.get("accessKey")).get("accessKeyId")),
            entity("apikey", made.get("serviceSpecificCredentialId")),
        )
        if str(call.get("eventName")).lower() in _NO_KEY:
            ended = asked.get("accessKeyId") or asked.get("serviceSpecificCredentialId")
            found = (entity("apikey", ended),)
    return [one for one in found if one is not None]


def _edges(name: str, call: dict[str, Json], status: Status, named: _Named) -> Iterator[Edge]:
    targets, actor, owned = named.targets, named.actor, named.owned
    if actor and owned:
        yield edge(actor, "owns", owned)
    if not targets or status != "success":
        return
    first = targets[0]
    if actor and first.kind in _INVOKED and name in _INVOKE:
        yield edge(actor, _INVOKED[first.kind], first)
    if first.kind == "apikey":
        user = mapping(call.get("requestParameters")).get("userName")
        owner = aws.user(call.get("awsRegion"), call.get("recipientAccountId"), user) or actor
        if owner:
            yield edge(owner, "owns", first, ended=name.lower() in _NO_KEY)
    if first.kind == "workload":
        yield from (edge(first, "runs_image", one) for one in targets if one.kind == "image")


def _attributes(
    service: str,
    name: str,
    call: dict[str, Json],
    asked: dict[str, Json],
    known: identity.Caller | None,
    refused: str | None,
) -> dict[str, Json]:
    read = call.get("readOnly")
    found: dict[str, Json] = {
        "api.service": service,
        "api.operation": name,
        "api.read_only": read if isinstance(read, bool) else None,
        "cloud.region": text(call.get("awsRegion"), 64),
        "error.code": text(call.get("errorCode"), 256) or refused,
    }
    if known is not None:
        found["identity.link"] = known.link
        found["aws.request_id"] = text(call.get("requestID"), 128)
    if service.startswith("bedrock"):
        guardrail = mapping(asked.get("guardrailConfig")).get("guardrailIdentifier")
        found["gen_ai.provider.name"] = "aws.bedrock"
        found["gen_ai.request.model"] = text(asked.get("modelId"), 512)
        found["aws.bedrock.guardrail.id"] = aws.tail(asked.get("guardrailIdentifier") or guardrail)
    return {key: value for key, value in found.items() if value is not None}


def _image(container: Json) -> Entity | None:
    reference = text(mapping(container).get("image"), 512)
    return image(reference) if reference else None


# The same callers come again and again.
_principal = lru_cache(maxsize=16_384)(principal)
