"""Microsoft 365 unified audit log: who asked Copilot or another AI app, and what it read for that.

Read are records of the Office 365 Management API and of Purview, alone, as a list, in `value`, and
inside what audit searches give (`AuditData` as a text, `auditData` as an object). Records of other
workloads are read for what rules ask of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

import msgspec

from schemas.detection import Logsource
from schemas.entity import Entity
from schemas.event import Client, Edge, Event, EventEvidence, Status
from schemas.times import DAY
from streams.names import azure
from streams.records import envelope
from streams.records.untrusted import distinct, edge, entity, listing, mapping, moment, slices, text
from streams.source import Json, Narrow, Parsed, Raw, Unreadable
from streams.telemetry.verdicts import verdicts

NAME: Final = "copilot"
TITLE: Final = "Microsoft 365 unified audit log (Copilot)"
LOGSOURCE: Final = Logsource(product="m365", service="audit")
LATENESS: Final = DAY  # of Copilot it comes hours later, sometimes a day
VERSIONS: Final = "CopilotInteraction records of 2023-12 to 2026-09"
GAPS: Final = (
    "Purview's export as CSV is not read; its audit search by API is.",
    "What was asked and answered is not in this log.",
    "Sigma rules for the services exchange and threat_management do not run on it.",
)
CATEGORIES: Final = frozenset({"api_activity", "authentication"})
ATTRIBUTES: Final = frozenset(
    """
    api.operation api.service cloud.account.id copilot.app_host copilot.app_identity
    copilot.contexts copilot.messages copilot.region copilot.resources copilot.sensitivity_labels
    gen_ai.agent.id gen_ai.agent.name gen_ai.conversation.id gen_ai.operation.name
    gen_ai.provider.name gen_ai.response.model guardrail.category guardrail.verdict
    """.split()  # noqa: SIM905 - names read better as a paragraph
)

_ID: Final = 128
_AI_OPERATIONS: Final = frozenset(
    """
    aiappinteraction connectedaiappinteraction copilotinteraction createcopilotplugin
    createcopilotpromptbook createcopilotworkspace deletecopilotplugin deletecopilotpromptbook
    deletecopilotworkspace disablecopilotplugin disablecopilotpromptbook enablecopilotplugin
    enablecopilotpromptbook teamcopilotinteraction updatecopilotplugin updatecopilotpromptbook
    updatecopilotsettings updatetenantcopilotsettings
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
_AI_WORKLOADS: Final = frozenset(
    {"aiapp", "connectedaiapp", "copilot", "copilotstudio", "microsoftcopilot", "securitycopilot"}
)


def _uid(record: Json, sha256: str) -> str:
    return text(mapping(record).get("Id"), _ID) or sha256


def _told(record: Json) -> tuple[dict[str, Json], str]:
    said = mapping(record)
    operation = text(said.get("Operation"), 128)
    if operation is None:
        raise Unreadable("wrong-shape", "a record of the unified audit log has `Operation`")
    return said, operation


NARROW: Final = Narrow(
    time="CreationTime",
    relevant={"Operation": _AI_OPERATIONS, "Workload": _AI_WORKLOADS},
    uid=_uid,
    check=_told,  # the time is judged before
    looks=("Operation",),
    named=("Id", _ID),
)
# The common schema of the Office 365 Management API, and those of Copilot, Exchange, Entra,
# SharePoint and threat intelligence as far as rules ask of them.
FIELDS: Final = frozenset(
    """
    ActorContextId ActorIpAddress Actor[].ID Actor[].Type AdditionalActionsAndResults AgentId
    AgentName AgentVersion AppIdentity ApplicationId AuthDetails AzureActiveDirectoryEventType
    ClientIP ClientIPAddress ClientInfoString ClientRegion Connectors CopilotEventData.*
    CopilotLogVersion CreationTime DeliveryAction DetectionMethod DetectionType
    DeviceProperties[].Name DeviceProperties[].Value Directionality ErrorNumber EventDeepLink
    EventSource ExtendedProperties[].Name ExtendedProperties[].Value ExternalAccess Id
    InterSystemsId InternetMessageId IntraSystemId ItemType LatestDeliveryLocation LogonError
    LogonType MailboxGuid MailboxOwnerUPN MessageTime ModifiedProperties[].Name
    ModifiedProperties[].NewValue ModifiedProperties[].OldValue NetworkMessageId ObjectId Operation
    OrganizationId OrganizationName OriginalDeliveryLocation OriginatingServer P1Sender P2Sender
    Parameters[].Name Parameters[].Value PhishConfidenceLevel Policy PolicyAction Recipients
    RecordType ResultStatus ResultStatusDetail SenderIp SessionId Site SiteUrl SourceFileExtension
    SourceFileName SourceRelativeUrl Subject SupportTicketId SystemOverrides TargetContextId
    Target[].ID Target[].Type ThreatsAndDetectionTech UserAgent UserId UserKey UserType Verdict
    Version Workload eventName eventSource status
    """.split()  # noqa: SIM905 - names read better as a paragraph
)

_FAILED: Final = frozenset({"failed", "failure", "false", "partiallysucceeded"})
_MOST: Final = 64  # messages and resources of one interaction that are looked at
_WRAPPED: Final = (b'"AuditData"', b'"auditData"')
_NONE: Final = msgspec.Raw()


class _Wrapper(msgspec.Struct):
    said: str | None = msgspec.field(default=None, name="AuditData")
    data: msgspec.Raw = msgspec.field(default=_NONE, name="auditData")


_WRAPPER: Final = msgspec.json.Decoder(_Wrapper)


def sniff(head: bytes) -> bool:
    """A record says when it was created, for which workload and of which record type."""
    if any(key in head for key in _WRAPPED):
        return b'"RecordType"' in head or b'"auditLogRecordType"' in head
    return b'"CreationTime"' in head and b'"Workload"' in head and b'"RecordType"' in head


def split(document: bytes) -> Iterator[Raw]:
    """The records of a list, of a page, of the results of a search, or the one record."""
    for raw in envelope.records(document, "value"):
        yield _unwrapped(raw) if any(key in raw.data for key in _WRAPPED) else raw


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:  # noqa: ARG001 - no context
    """One interaction with an AI app, or another action."""
    said, operation = _told(record)
    time = moment(said.get("CreationTime"))
    data = azure.opened(said.get("CopilotEventData"))
    user = text(said.get("UserId"), 256)
    actor = entity("principal", user.lower() if user else said.get("UserKey"))
    agent = _agent(said, data)
    session = entity("session", data.get("ThreadId"))
    models = [_model(one) for one in listing(data.get("ModelTransparencyDetails"))[:_MOST]]
    resources = [mapping(one) for one in listing(data.get("AccessedResources"))[:_MOST]]
    stores = [_store(one) for one in resources]
    plugins = [_plugin(agent, one) for one in listing(data.get("AISystemPlugin"))[:_MOST]]
    address = azure.address(said.get("ClientIP") or said.get("ClientIPAddress"))
    client = text(said.get("UserAgent"), 512)
    login = operation in ("UserLoggedIn", "UserLoginFailed")
    found = distinct((agent, *models, session, *plugins, *stores))
    return Parsed(
        Event(
            uid=_uid(said, evidence.sha256),
            time=time,
            source=NAME,
            class_uid=3002 if login else 6003,
            class_name="Authentication" if login else "API Activity",
            activity=operation,
            status=_status(said, operation),
            message=operation + (f" by {actor.id}" if actor else ""),
            actor=actor,
            client=Client(ip=address, user_agent=client) if address or client else None,
            entities=distinct((*found, actor, _tenant(said))),
            edges=tuple(_edges(found, agent, actor)),
            attributes={
                key: value
                for key, value in _attributes(said, operation, data, resources).items()
                if value is not None
            },
            evidence=evidence,
        ),
        {},
    )


def _unwrapped(raw: Raw) -> Raw:
    wrapper = slices(raw.data, _WRAPPER)
    if wrapper.said is not None:
        return Raw(wrapper.said.encode())
    return raw if wrapper.data is _NONE else Raw(bytes(wrapper.data))


def _status(said: dict[str, Json], operation: str) -> Status:
    result = (text(said.get("ResultStatus"), 64) or "").lower()
    return "failure" if result in _FAILED or operation.endswith("Failed") else "success"


def _tenant(said: dict[str, Json]) -> Entity | None:
    return entity("account", said.get("OrganizationId") or "m365")


def _agent(said: dict[str, Json], data: dict[str, Json]) -> Entity | None:
    """The agent that is named, else the app in which Copilot was asked."""
    name = said.get("AgentName") or said.get("AgentId")
    app = text(data.get("AppHost"), 128)
    known = text(said.get("AgentId"), 256) or (f"copilot/{app.lower()}" if app else None)
    return entity("agent", known, name if said.get("AgentId") else app)


def _model(told: Json) -> Entity | None:
    """The model, with its version where that is said and not in the name already."""
    name, version = (text(mapping(told).get(f"Model{one}"), 128) for one in ("Name", "Version"))
    known = bool(name and version and name.lower().endswith(version.lower()))
    return azure.model(name, None if known else version)


def _plugin(agent: Entity | None, told: Json) -> Entity | None:
    name = text(mapping(told).get("Id"), 128) or text(mapping(told).get("Name"), 128)
    return entity(
        "tool", f"{agent.id}/{name}" if agent and name else name, mapping(told).get("Name")
    )


def _store(resource: dict[str, Json]) -> Entity | None:
    """The site of a file: `sharepoint/<host>/sites/<name>`, in small letters."""
    place = text(resource.get("SiteUrl"), 1024) or text(resource.get("Id"), 1024) or ""
    try:
        parts = urlsplit(place)
    except ValueError:
        return None
    if not parts.hostname:
        return None
    path = [one for one in parts.path.split("/") if one][:2]
    within = path if path[:1] in (["sites"], ["personal"], ["teams"]) else []
    return entity("datastore", "/".join(("sharepoint", parts.hostname, *within)).lower())


def _edges(found: tuple[Entity, ...], agent: Entity | None, actor: Entity | None) -> Iterator[Edge]:
    if agent is None:
        return
    relations = {"model": "calls", "tool": "uses", "datastore": "retrieves"}
    if actor is not None:
        yield edge(actor, "uses", agent)
    yield from (edge(agent, relations[one.kind], one) for one in found if one.kind in relations)


def _attributes(
    said: dict[str, Json],
    operation: str,
    data: dict[str, Json],
    resources: list[dict[str, Json]],
) -> dict[str, Json]:
    messages = [mapping(one) for one in listing(data.get("Messages"))[:_MOST]]
    # The log says that an attack was seen, not that it was stopped; a file that was not given, was.
    seen = [("detected", "jailbreak") for one in messages if one.get("JailbreakDetected") is True]
    crossed = [one for one in resources if one.get("XPIADetected") is True]
    stopped = ("blocked" if text(one.get("Status")) == "failure" else "detected" for one in crossed)
    judged = [*seen, *((word, "indirect_attack") for word in stopped)]
    labels = {text(one.get("SensitivityLabelId"), 64) for one in resources}
    kinds = {text(mapping(one).get("Type"), 64) for one in listing(data.get("Contexts"))[:_MOST]}
    models = listing(data.get("ModelTransparencyDetails"))
    return {
        "api.operation": operation,
        "api.service": text(said.get("Workload"), 64),
        "cloud.account.id": text(said.get("OrganizationId"), 64),
        "copilot.app_host": text(data.get("AppHost"), 128),
        "copilot.app_identity": text(said.get("AppIdentity"), 256),
        "copilot.contexts": sorted(one for one in kinds if one) or None,
        "copilot.messages": len(messages) or None,
        "copilot.region": text(said.get("ClientRegion"), 64),
        "copilot.resources": len(resources) or None,
        "copilot.sensitivity_labels": sorted(one for one in labels if one) or None,
        "gen_ai.agent.id": text(said.get("AgentId"), 256),
        "gen_ai.agent.name": text(said.get("AgentName"), 256),
        "gen_ai.conversation.id": text(data.get("ThreadId"), 256),
        "gen_ai.operation.name": "invoke_agent" if data else None,
        "gen_ai.provider.name": "microsoft.copilot" if data else None,
        "gen_ai.response.model": text(mapping(models[0]).get("ModelName"), 128) if models else None,
        **verdicts(*judged),
    }
