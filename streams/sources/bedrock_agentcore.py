"""Amazon Bedrock AgentCore: what agents, gateways, memories and built-in tools log.

Read are the logs that the service delivers (`resource_arn`, `event_timestamp`, `body`), and the
spans and log records of agents as CloudWatch holds them: OpenTelemetry, one a line, attributes as
an object, `resource` beside them. They come as NDJSON, lists, or subscriptions of CloudWatch Logs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from schemas.canonical import digest
from schemas.config import Limits
from schemas.detection import Logsource
from schemas.entity import Entity
from schemas.event import Edge, Event, EventEvidence, Status
from schemas.times import MINUTE
from streams.names import arns
from streams.records import envelope
from streams.records.untrusted import decode, distinct, edge, entity, mapping, moment, sane, text
from streams.source import Json, Narrow, Parsed, Raw, Unreadable
from streams.telemetry import otlp
from streams.telemetry.conventions import NAMES
from streams.telemetry.semconv import parted, present
from streams.telemetry.things import Things, ordered, relations, things
from streams.telemetry.verdicts import verdict

NAME: Final = "bedrock_agentcore"
TITLE: Final = "Amazon Bedrock AgentCore log"
LOGSOURCE: Final = Logsource(product="aws", service="bedrock-agentcore")
LATENESS: Final = 15 * MINUTE
NARROW: Final[Narrow | None] = None
VERSIONS: Final = "gateway, runtime, memory and tool logs of 2025-07 to 2026-09"
GAPS: Final = (
    "Lines of an agent's own output that are no JSON are rejected.",
    "Metrics are not read.",
)
CATEGORIES: Final = frozenset({"api_activity"})
_OWN: Final = ("aws.agentcore.resource", "aws.agentcore.target", "aws.request_id", "identity.link")
ATTRIBUTES: Final = NAMES | {*_OWN, "*"}  # what an agent says of itself is passed on

_RESOURCE: Final = re.compile(
    r"\Aarn:[\w-]{1,16}:bedrock-agentcore:([\w-]{0,32}):(\d{0,12}|aws):(\S{1,256})"
)
# "Processing request for tool X from target Y"; without a target only what a gateway calls a tool.
_CALLED: Final = re.compile(
    r"\btool:? (?P<tool>[\w.:/-]{1,128}) from target:? (?P<target>[\w.-]{1,128})"
    r"|\btool:? (?P<named>[\w.-]{1,64}___[\w.-]{1,64})"
)
# A request that was written as a map of Java: `{id=1, method=tools/call, params={name=x}}`.
_METHOD: Final = re.compile(r"\bmethod=([\w/]{1,64})")
_TOOL: Final = re.compile(r"\bname=([\w.:/-]{1,128})")
_TARGETED: Final = "___"  # between target and tool in the name of a gateway's tool
_ACCOUNTS: Final = ("account_id", "account.id", "aws.account.id")
_SESSIONS: Final = ("session_id", "session.id", "tool_session_id", "toolsession.id")
_TOOLS: Final = frozenset(
    {"browser", "browser-custom", "code-interpreter", "code-interpreter-custom"}
)
_PAYLOADS: Final = ("request_payload", "response_payload")
_DOING: Final = {
    "InvokeAgentRuntime": "invoke_agent",
    "InvokeAgentRuntimeCommand": "execute_tool",
    "InvokeBrowser": "execute_tool",
    "InvokeCodeInterpreter": "execute_tool",
}
_SPOKEN: Final = {"input": "gen_ai.input.messages", "output": "gen_ai.output.messages"}
_SIDES: Final = {
    "": ("gen_ai.input.messages", "gen_ai.output.messages"),
    "execute_tool": ("gen_ai.tool.call.arguments", "gen_ai.tool.call.result"),
}
_LIMITS: Final = Limits()


def sniff(head: bytes) -> bool:
    """A delivered log names its resource; a span of CloudWatch the platform, outside an export."""
    if b"resource_arn" in head and b"event_timestamp" in head and b"bedrock-agentcore" in head:
        return True
    if b'"resourceSpans"' in head or b'"resourceLogs"' in head:
        return False
    return b"aws_bedrock_agentcore" in head and b"imeUnixNano" in head


def split(document: bytes) -> Iterator[Raw]:
    """The records of a file, a subscription or a list, or the one record."""
    return envelope.records(document)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:  # noqa: ARG001 - no context
    """What one resource did, or one span or log record tells."""
    said = mapping(record)
    if "resource_arn" in said:
        return _delivered(said, evidence)
    if isinstance(said.get("resource"), dict) and isinstance(said.get("attributes"), dict):
        return _telemetry(said, evidence)
    raise Unreadable("wrong-shape", "neither a delivered log nor a span or log record")


def _delivered(said: dict[str, Json], evidence: EventEvidence) -> Parsed:
    arn = text(said.get("resource_arn"), 512) or ""
    named = _RESOURCE.match(arn)
    if named is None:
        raise Unreadable("wrong-shape", "`resource_arn` is none of AgentCore")
    region, number, resource = named.groups()  # tools of AWS itself have no account
    found, own = _asset(arn), mapping(said.get("body"))
    more = mapping(said.get("attributes"))
    account = number if number.isdecimal() else text(_first(said, more, _ACCOUNTS), 32)
    log = text(own.get("log"), 2048) or (text(said.get("body"), 2048) or "")
    body = own or {"log": said.get("body")}
    request = _request(own.get("requestBody") or said.get("request_payload"))
    called = _CALLED.search(log)
    operation = text(said.get("operation") or more.get("aws.operation.name"), 128)
    doing = _DOING.get(operation or "")
    tool = request.get("gen_ai.tool.name") or (
        called["tool"] or called["named"] if called else None
    )
    payloads = _payloads(said | own, doing)
    if doing == "execute_tool":  # a tool of AWS's own: what it is asked to do is no other tool
        tool = tool or text(mapping(own.get("request_payload")).get("name"), 128)
    trace = otlp.hex_id(said.get("trace_id")) or text(said.get("trace_id"), 64)
    session = text(_first(said, more, _SESSIONS), 256)
    method = request.get("mcp.method.name")
    target = called["target"] if called else None
    if target is None and tool and _TARGETED in tool:
        target = tool.partition(_TARGETED)[0]
    seen: dict[str, Json] = {
        "aws.agentcore.resource": resource.partition("/")[0],
        "aws.agentcore.target": target,
        "aws.request_id": text(said.get("request_id"), 128),
        "cloud.account.id": account,
        "cloud.platform": "aws_bedrock_agentcore",
        "cloud.region": region,
        "cloud.resource_id": arn,
        "gen_ai.conversation.id": session,
        "gen_ai.operation.name": doing,
        "gen_ai.tool.name": tool,
        "identity.link": "trace" if trace else "role_only",
        "mcp.method.name": method,
        "trace.id": trace,
    }
    rest = {key: value for key, value in body.items() if key not in _PAYLOADS and value is not None}
    kept, private = parted(({"body": rest} if rest else {}) | payloads)
    of_aws = found is not None and found.kind == "tool"
    own_tool = (
        None if of_aws else entity("tool", f"{found.id}/{tool}" if found and tool else tool, tool)
    )
    # A call is told by its request; the lines that follow it only add the tool and target.
    operation = operation or method or "log"
    entities = distinct((own_tool, found, entity("session", session), entity("account", account)))
    return Parsed(
        Event(
            uid=digest(NAME, evidence.sha256),
            time=_time(said.get("event_timestamp")),
            source=NAME,
            class_uid=6003,
            class_name="API Activity",
            activity=operation,
            status=_status(own, said),
            message=f"{operation} at {resource}",
            entities=entities or distinct((entity("account", arn),)),
            edges=tuple(_edges(own_tool, found)),
            attributes={k: v for k, v in (seen | kept).items() if v is not None},
            evidence=evidence,
        ),
        private,
    )


def _telemetry(said: dict[str, Json], evidence: EventEvidence) -> Parsed:
    resource = present(mapping(mapping(said.get("resource")).get("attributes")))
    own = present(mapping(said.get("attributes")))
    body = said.get("body")
    for side, place in _SPOKEN.items():  # what a span's record of its own says
        messages = mapping(mapping(body).get(side)).get("messages")
        if messages:
            own.setdefault(place, messages)
    if body is not None:
        own.setdefault("body", body)
    where = resource.get("cloud.resource_id") or own.get("aws.resource.arn")
    agent = arns.asset(where)
    seen = resource | own
    if agent is not None and agent.kind == "agent":
        seen.setdefault("gen_ai.agent.id", agent.id)
    found: Things = things(seen, own)
    (common, hidden), (kept, private) = parted(resource), parted(own)
    trace, span = otlp.hex_id(said.get("traceId")), otlp.hex_id(said.get("spanId"))
    names = [own.get("gen_ai.operation.name"), own.get("mcp.method.name")]
    names += [said.get("eventName"), own.get("event.name"), said.get("name")]
    activity = next((one for name in names if (one := text(name, 256))), "unnamed")
    is_span = "startTimeUnixNano" in said or "endTimeUnixNano" in said
    said_so = {"identity.link": "trace", "trace.id": trace} if trace else {}
    account = entity("account", resource.get("cloud.account.id") or NAME)
    entities = ordered(found, activity) or distinct((agent or account,))
    code = text(mapping(said.get("status")).get("code"), 32)
    failed = code in ("ERROR", "STATUS_CODE_ERROR", "2") or "error.type" in own
    return Parsed(
        Event(
            uid=f"{trace}:{span}" if is_span and trace and span else digest(NAME, evidence.sha256),
            time=otlp.time(
                *(said.get(key) for key in ("endTimeUnixNano", "startTimeUnixNano")),
                *(said.get(key) for key in ("timeUnixNano", "observedTimeUnixNano")),
            ),
            source=NAME,
            class_uid=6003,
            class_name="API Activity",
            activity=activity,
            status="failure" if failed else "success" if is_span else "unknown",
            message=" ".join((activity, *(one.key for one in entities[:1]))),
            entities=entities
            or distinct((entity("account", resource.get("cloud.account.id") or NAME),)),
            edges=tuple(relations(found)),
            attributes=common | kept | verdict(own) | said_so,
            evidence=evidence,
        ),
        hidden | private,
    )


def _asset(arn: str) -> Entity | None:
    """A gateway is an MCP server, a runtime an agent, a memory a datastore; AWS has tools, too."""
    kind, _, name = arn.split(":", 5)[5].partition("/")
    return entity("tool", name) if kind in _TOOLS else arns.asset(arn)


def _edges(tool: Entity | None, found: Entity | None) -> Iterator[Edge]:
    if tool is None or found is None:
        return
    if found.kind == "mcp_server":
        yield edge(tool, "served_by", found)
    elif found.kind == "agent":
        yield edge(found, "uses", tool)


def _request(body: Json) -> dict[str, str]:
    """Method and tool of an MCP request: an object, its JSON, or how Java writes a map."""
    told = body
    if isinstance(body, str):
        try:
            told = decode(body.encode(), _LIMITS)
        except (Unreadable, UnicodeEncodeError):
            told = _java(body[:4096])
    method = text(mapping(told).get("method"), 64)
    name = text(mapping(mapping(told).get("params")).get("name"), 128)
    found = {
        "mcp.method.name": method,
        "gen_ai.tool.name": name if method == "tools/call" else None,
    }
    return {key: value for key, value in found.items() if value}


def _java(body: str) -> Json:
    called, tool = _METHOD.search(body), _TOOL.search(body)
    params = {"name": tool[1]} if tool else {}
    return {"method": called[1] if called else None, "params": params}


def _payloads(said: dict[str, Json], doing: str | None) -> dict[str, Json]:
    """What was asked and answered: of a tool its arguments and result."""
    asked, answered = _SIDES.get(doing or "", _SIDES[""])
    found = {asked: said.get("request_payload"), answered: said.get("response_payload")}
    return {name: value for name, value in found.items() if value not in (None, "", {})}


def _first(said: dict[str, Json], more: dict[str, Json], names: tuple[str, ...]) -> Json:
    """The first of these names that a log, or its attributes, has."""
    return next((value for name in names if (value := said.get(name) or more.get(name))), None)


def _status(body: dict[str, Json], said: dict[str, Json]) -> Status:
    """What the body says, or the answer in it; else a failure where an error is named."""
    for one in (body, mapping(body.get("response_payload"))):
        failed = one.get("isError")
        if isinstance(failed, bool):
            return "failure" if failed else "success"
    named = (one.get(key) for one in (said, body) for key in ("error_code", "errorCode"))
    return "failure" if any(named) else "unknown"


def _time(value: Json) -> int:
    """Milliseconds since 1970, as a number or its text; else RFC 3339."""
    known = otlp.integer(value)
    return moment(value) if known is None else sane(known * 1000)
