"""Azure resource logs: what was asked of models and data, as diagnostic settings export it.

Read are records of any resource (`{"records": [...]}` of an Event Hub or a storage account, or one
a line). Azure OpenAI and other Cognitive Services (RequestResponse, Audit, Trace, request usage),
Azure Machine Learning, the LLM log of API Management, calls of models in its gateway log, and blobs
are understood; of others the call, its caller and its end. `properties` may be an object or a text,
addresses may be masked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from schemas.detection import Logsource
from schemas.entity import Entity
from schemas.event import Client, Edge, Event, EventEvidence, Status
from schemas.times import MINUTE
from streams.names import azure
from streams.records.envelope import records
from streams.records.untrusted import distinct, edge, entity, number, text
from streams.source import Json, Narrow, Parsed, Raw, Unreadable
from streams.telemetry.api_management import through
from streams.telemetry.semconv import parted

NAME: Final = "azure_diagnostics"
TITLE: Final = "Azure resource logs"
LOGSOURCE: Final = Logsource(product="azure", service="resourcelogs")
LATENESS: Final = 15 * MINUTE
VERSIONS: Final = "resource log schema of Azure Monitor (2026-11)"
GAPS: Final = (
    "RequestResponse names nobody who calls with a key, masks addresses, and holds no text.",
    "That a content filter blocked a call shows as status 400 like any other bad request.",
    "A record has no id: the same one from two exports is two, if their bytes differ.",
)

_AI: Final = frozenset(
    """
    amlcomputejobevent amlonlineendpointeventlog amlonlineendpointtrafficlog
    amlrunstatuschangedevent audit azureopenairequestusage datasetchangeevent datasetreadevent
    datastorechangeevent datastorereadevent gatewayllmlogs gatewaylogs inferencingoperationaci
    inferencingoperationaks modelsactionevent modelschangeevent modelsreadevent requestresponse
    runevent trace
    """.split()  # noqa: SIM905 - names read better as a paragraph
)


def _uid(_: Json, sha256: str) -> str:
    return sha256


NARROW: Final = Narrow(
    time="time",
    clock=azure.moment,
    relevant={"category": _AI},
    uid=_uid,
)
FIELDS: Final = frozenset(
    """
    Level SourceSystem callerIpAddress category correlationId durationMs event identity.* level
    location operationName operationVersion properties.* protocol resourceId resourceType
    resultDescription resultSignature resultType schemaVersion statusCode statusText tenant
    tenantId time uri
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
CATEGORIES: Final = frozenset({"api_activity"})
ATTRIBUTES: Final = frozenset(
    """
    api.operation api.service azure.category azure.correlation_id azure.duration_ms
    cloud.account.id cloud.provider cloud.region cloud.resource_id error.code
    gen_ai.input.messages gen_ai.input.messages.size gen_ai.operation.name
    gen_ai.output.messages gen_ai.output.messages.size gen_ai.provider.name gen_ai.request.model
    gen_ai.request.stream gen_ai.response.id gen_ai.usage.input_tokens gen_ai.usage.output_tokens
    guardrail.category guardrail.verdict http.request.body.size http.response.body.size
    http.response.status_code server.address url.path
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
_CATEGORY: Final = re.compile(rb'"(?i:category)"\s*:\s*"([^"]{1,64})"')
_NOT_OURS: Final = re.compile(
    rb"(?i)administrative|policy|security|servicehealth|alert|recommendation|resourcehealth"
    rb"|autoscale|write|delete|action|.*signinlogs|auditlogs|provisioninglogs|.*riskevents"
    rb"|risky.*|kube-audit.*|.*management"
)
_OPERATIONS: Final = (
    ("chatcompletions", "chat"),
    ("completions", "text_completion"),
    ("embeddings", "embeddings"),
    ("imagegenerations", "generate_content"),
    ("responses", "chat"),
)
_CONTENT: Final = {
    "requestmessages": "gen_ai.input.messages",
    "responsemessages": "gen_ai.output.messages",
}
_TOKENS: Final = {
    "gen_ai.usage.input_tokens": ("prompttokens", "inputtokens"),
    "gen_ai.usage.output_tokens": ("completiontokens", "generatedtokens", "outputtokens"),
}


def sniff(head: bytes) -> bool:
    """An operation on a resource of a subscription, in a category of no other Azure log."""
    kind = _CATEGORY.search(head)
    if kind is None or _NOT_OURS.fullmatch(kind[1]):
        return False
    lower = head.lower()
    keys = b'"resourceid"' in lower and b'"operationname"' in lower and b'"time"' in lower
    return keys and b"/subscriptions/" in lower and b"/providers/microsoft." in lower


def split(document: bytes) -> Iterator[Raw]:
    """The records of an export, of a list, or one alone."""
    return records(document, "records")


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:  # noqa: ARG001 - no context
    """One call of one resource."""
    row = azure.folded(record)
    operation, target = text(row.get("operationname"), 256), text(row.get("resourceid"), 1024)
    if operation is None or target is None:
        raise Unreadable("wrong-shape", "a resource log has resourceId and operationName")
    time = azure.moment(row.get("time"))
    told = azure.folded(azure.opened(row.get("properties")))
    status, code = _ended(row, told)
    actor = _actor(row, told)
    account = azure.part(target, "subscriptions")
    behind = through(told) if "/microsoft.apimanagement/" in target.lower() else None
    named = behind.things if behind else ()
    things = distinct((*named, *_called(target, told), *azure.resources(target), *_data(row, told)))
    model = azure.model(told.get("modelname"), told.get("modelversion"))
    model = behind.model if behind else model
    asked = behind.operation if behind else _operation(operation)
    if asked is None and told.get("responsemessages"):  # of the LLM log: what it was is not said
        asked = "chat"
    edges = list(_edges(operation, asked, things, actor, model)) if status == "success" else []
    content = {new: told[old] for old, new in _CONTENT.items() if told.get(old)}
    content |= behind.content if behind else {}
    seen = _attributes(row, told, operation, asked, target, code)
    if behind:  # whose model it is, the address tells
        seen = seen | {"gen_ai.provider.name": behind.provider} | behind.attributes
    kept, private = parted(content)
    address = azure.address(row.get("calleripaddress") or told.get("sourceipaddress"))
    agent = text(told.get("useragent") or told.get("useragentheader"), 512)
    return Parsed(
        Event(
            uid=evidence.sha256,
            time=time,
            source=NAME,
            class_uid=6003,
            class_name="API Activity",
            activity=operation,
            status=status,
            message=operation + (f" by {actor.id}" if actor else ""),
            actor=actor,
            client=Client(ip=address, user_agent=agent) if address or agent else None,
            entities=distinct((*things, model, actor, entity("account", account))),
            edges=tuple(edges),
            attributes=kept | {key: value for key, value in seen.items() if value is not None},
            evidence=evidence,
        ),
        private,
    )


def _called(target: str, told: dict[str, Json]) -> Iterator[Entity | None]:
    """The deployment that a call went to, or what it named of a workspace."""
    name = told.get("modeldeploymentname") or told.get("deploymentname")
    held = next((one for one in azure.resources(target) if one.kind == "endpoint"), None)
    if held and "/accounts/" in target.lower():
        found = azure.deployment(held.id.split("/")[1], name)
        if found:
            yield found
    index = text(told.get("indexname"), 128)
    if held is None and index and (service := azure.part(target, "searchservices")):
        yield entity("datastore", f"azure/{service}/{index}".lower())
    where = azure.part(target, "workspaces")
    for key, kind in (("amlmodelname", "model"), ("amldatasetname", "dataset")):
        known = text(told.get(key), 256)
        if where and known and kind == "model":
            base = target.lower().partition(f"/workspaces/{where}")[0]
            name = known.lower().partition(":")[0]
            yield entity("model", f"{base}/workspaces/{where}/models/{name}", known)
        elif where and known:
            yield entity("dataset", f"azure/{where}/{known.lower()}")
    store = text(told.get("amldatastorename"), 256)
    if where and store:
        yield entity("datastore", f"azure/{where}/{store.lower()}")
    run = text(told.get("runid") or told.get("jobname"), 256)
    if where and run:
        yield entity("job", f"azureml/{run.lower()}")


def _data(row: dict[str, Json], told: dict[str, Json]) -> Iterator[Entity]:
    """The container of a blob, from its key: `/account/container/path`."""
    parts = (text(told.get("objectkey"), 1024) or "").split("/", 3)
    if (text(row.get("category"), 64) or "").lower().startswith("storage") and len(parts) > 2:
        found = entity("datastore", f"azure/{parts[1]}/{parts[2]}".lower())
        if found and parts[2]:
            yield found


def _actor(row: dict[str, Json], told: dict[str, Json]) -> Entity | None:
    """Whose token it was, if it was one."""
    who = azure.folded(azure.opened(row.get("identity")))
    claims = azure.folded(who.get("claims"))
    requester = azure.folded(who.get("requester"))
    named = (
        who.get("email"),  # of Databricks
        *(requester.get("upn"), claims.get("upn"), told.get("objectid"), who.get("userobjectid")),
        *(requester.get("objectid"), claims.get("oid"), who.get("userprincipalname")),
    )
    return next((one for said in named if (one := azure.principal(said))), None)


def _edges(
    operation: str,
    known: str | None,
    things: Sequence[Entity],
    actor: Entity | None,
    model: Entity | None,
) -> Iterator[Edge]:
    if not things or things[0].kind != "endpoint":
        return
    asked = known is not None or operation == "AmlOnlineEndpointTraffic"
    if actor and asked:
        yield edge(actor, "calls", things[0])
    if model and asked and things[0].id.count("/") > 1:
        yield edge(things[0], "serves", model)


def _operation(operation: str) -> str | None:
    lower = operation.lower().replace("_", "")
    return next((ours for start, ours in _OPERATIONS if lower.startswith(start)), None)


def _code(said: Json) -> int | None:
    """A status of HTTP, from a number or its text."""
    code = str(said)
    return int(code) if code.isdecimal() and len(code) == 3 else None


def _ended(row: dict[str, Json], told: dict[str, Json]) -> tuple[Status, str | None]:
    """The status of HTTP where there is one, else a word."""
    answered = azure.folded(azure.opened(told.get("response"))).get("statuscode")
    codes = (row.get("statuscode"), row.get("resultsignature"), told.get("responsecode"), answered)
    for said in codes:
        code = text(said, 32) or ""
        if code.isdecimal():
            return ("failure", code) if int(code) >= 400 else ("success", None)
    word = (text(row.get("resulttype"), 128) or "").lower()
    if word in {"success", "succeeded"}:
        return "success", None
    return ("failure", word) if word.startswith(("fail", "error")) else ("unknown", None)


def _attributes(
    row: dict[str, Json],
    told: dict[str, Json],
    operation: str,
    asked: str | None,
    target: str,
    code: str | None,
) -> dict[str, Json]:
    service = azure.provider(target)
    kind = text(row.get("category"), 64)
    took = number(row.get("durationms"))
    known = azure.model(told.get("modelname"), told.get("modelversion"))
    codes = (row.get("statuscode"), row.get("resultsignature"), told.get("responsecode"))
    status = next((s for s in codes if text(s)), None)
    stream = (text(told.get("streamtype"), 32) or "").lower()
    return {
        "api.operation": operation,
        "api.service": service,
        "azure.category": kind,
        "azure.duration_ms": took if took is not None and took >= 0 else None,
        "cloud.account.id": azure.part(target, "subscriptions"),
        "cloud.provider": "azure",
        "cloud.region": text(row.get("location"), 64),
        "cloud.resource_id": target.lower(),
        "error.code": code,
        "gen_ai.operation.name": asked,
        "gen_ai.provider.name": "azure.ai.openai" if asked or known else None,
        "gen_ai.request.model": known and known.id,
        "gen_ai.request.stream": stream == "streaming" if stream else None,
        "http.request.body.size": number(told.get("requestlength")),
        "http.response.body.size": number(told.get("responselength")),
        "http.response.status_code": _code(status),
        "azure.correlation_id": text(row.get("correlationid"), 64),
        "url.path": text(told.get("path"), 512),
        **{
            name: next((n for old in ones if (n := number(told.get(old))) is not None), None)
            for name, ones in _TOKENS.items()
        },
    }
