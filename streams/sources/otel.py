"""OpenTelemetry: spans and log records of agents, MCP and models, as OTLP/JSON.

Read are exports (`resourceSpans`, `resourceLogs`; of a collector's file exporter each line is one),
and single spans and log records; those of coding agents under the names that all others use.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

import msgspec

from schemas.canonical import digest
from schemas.config import Limits
from schemas.detection import Logsource
from schemas.event import Client, Event, EventEvidence, Status
from schemas.times import MINUTE
from streams.records.untrusted import decode, listing, mapping, slices, text
from streams.source import Json, Narrow, Parsed, Raw, Unreadable
from streams.telemetry import coding_agents
from streams.telemetry.conventions import NAMES
from streams.telemetry.manifests import manifest
from streams.telemetry.otlp import attributes, hex_id, plain_value, time
from streams.telemetry.semconv import parted, present
from streams.telemetry.things import ordered, relations, things
from streams.telemetry.verdicts import verdict

NAME: Final = "otel"
TITLE: Final = "OpenTelemetry"
LOGSOURCE: Final = Logsource(product="opentelemetry")
LATENESS: Final = 5 * MINUTE  # a span comes when it ends; exporters batch and retry
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset({"api_activity"})
ATTRIBUTES: Final = NAMES | {"*"}  # whatever a record says of itself is passed on
VERSIONS: Final = (
    "OTLP 1.x; GenAI and MCP conventions of 2024 to November 2026; OpenInference 0.1; Vercel AI SDK"
    " 4 to 6; logs and spans of Claude Code, Codex and Gemini CLI as of 2026"
)
GAPS: Final = (
    "Metrics (`resourceMetrics`) are refused: they are sums, and name nobody.",
    "Content in numbered attributes (`gen_ai.prompt.0.content`) keeps these names for rules.",
)

_EVENTS: Final = 64  # events of one span that are read
_GUARDRAILS: Final = ("aws.bedrock.guardrail.id", "gen_ai.guardrail.id")  # often only in events
_LIMITS: Final = Limits()
_NONE: Final = msgspec.Raw()


class _Spans(msgspec.Struct):
    spans: list[msgspec.Raw] | None = None


class _Logs(msgspec.Struct):
    records: list[msgspec.Raw] | None = msgspec.field(default=None, name="logRecords")


class _ResourceSpans(msgspec.Struct):
    resource: msgspec.Raw = _NONE
    scopes: list[_Spans] | None = msgspec.field(default=None, name="scopeSpans")


class _ResourceLogs(msgspec.Struct):
    resource: msgspec.Raw = _NONE
    scopes: list[_Logs] | None = msgspec.field(default=None, name="scopeLogs")


class _Export(msgspec.Struct):
    spans: list[_ResourceSpans] | None = msgspec.field(default=None, name="resourceSpans")
    logs: list[_ResourceLogs] | None = msgspec.field(default=None, name="resourceLogs")
    metrics: msgspec.Raw = msgspec.field(default=_NONE, name="resourceMetrics")


_EXPORT: Final = msgspec.json.Decoder(_Export)


class Resource(NamedTuple):
    """Attributes of who tells, as a whole and parted into what may be kept and what may not."""

    seen: dict[str, Json]
    kept: dict[str, Json]
    private: dict[str, Json]


class Context(NamedTuple):
    """What all records of one resource share."""

    kind: Literal["span", "log"]
    resource: Resource


_NOBODY: Final = Resource({}, {}, {})


def sniff(head: bytes) -> bool:
    """An export names its resources; a single record has the keys that no other format has."""
    if any(key in head for key in (b'"resourceSpans"', b'"resourceLogs"', b'"resourceMetrics"')):
        return True
    single = b'"spanId"' in head or b'"timeUnixNano"' in head or b'"SPAN_KIND_' in head
    return single and b'"attributes"' in head and b"aws_bedrock_agentcore" not in head


def split(document: bytes) -> Iterator[Raw]:
    """The spans and log records of an export, or the one record."""
    export = slices(document, _EXPORT)
    if export.spans is None and export.logs is None:
        if export.metrics is not _NONE:
            raise Unreadable("wrong-shape", "metrics are no events; send spans and log records")
        return iter((Raw(document),))
    found: list[tuple[Context, list[msgspec.Raw]]] = []
    for spans in export.spans or ():
        context = Context("span", _resource(spans.resource))
        found += [(context, scope.spans or []) for scope in spans.scopes or ()]
    for logs in export.logs or ():
        context = Context("log", _resource(logs.resource))
        found += [(context, scope.records or []) for scope in logs.scopes or ()]
    return (Raw(bytes(record), context) for context, records in found for record in records)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """What one span did, or one log record tells."""
    if not isinstance(record, dict):
        raise Unreadable("wrong-shape", "a span or log record is an object")
    said = mapping(record)
    span, resource = _context(raw, said)
    when = (
        time(said.get("endTimeUnixNano"), said.get("startTimeUnixNano"))
        if span
        else time(said.get("timeUnixNano"), said.get("observedTimeUnixNano"))
    )
    own = present(attributes(said.get("attributes")))
    body = plain_value(said.get("body"))
    if body is not None:
        own.setdefault("body", body)
    if span:
        own = coding_agents.said(own, said.get("name"), None)
    else:
        name = said.get("eventName") or own.get("event.name")
        prefixed = body if isinstance(body, str) and body.endswith(f".{name}") else name
        own = coding_agents.said(own, prefixed, resource.seen.get("service.name"))
    happened = [mapping(one) for one in listing(said.get("events"))[:_EVENTS]]
    inside = [present(attributes(one.get("attributes"))) for one in happened]
    error = _error(own, inside)
    if error is not None:
        own["error.type"] = error
    guarding = {name: one[name] for one in inside for name in _GUARDRAILS if name in one}
    seen = resource.seen | guarding | own
    activity = _activity(said, own)
    found = things(seen, own)
    kept, private = parted(guarding | own)
    kept = resource.kept | kept | verdict(own, *inside)
    if own.get("mcp.method.name") == "tools/list" or (
        "mcp_server" in found and "gen_ai.tool.definitions" in own
    ):
        kept |= manifest(own)
    trace, unit = hex_id(said.get("traceId")), hex_id(said.get("spanId"))
    if trace is not None:
        kept["trace.id"] = trace
    entities = ordered(found, activity)
    actors = (found.get("agent"), found.get("principal"), found.get("application"))
    return Parsed(
        Event(
            uid=f"{trace}:{unit}"
            if span and trace and unit
            else digest(NAME, evidence.sha256, resource.seen),
            time=when,
            source=NAME,
            class_uid=6003,
            class_name="API Activity",
            activity=activity,
            status=_status(said, own, span=span),
            message=" ".join((activity, *(f"{one.kind}:{one.id}" for one in entities[:1]))),
            actor=next((one for one in actors if one and one not in entities[:1]), None),
            client=_client(said, seen),
            entities=entities,
            edges=tuple(relations(found)),
            attributes=kept,
            evidence=evidence,
        ),
        resource.private | private,
    )


def _resource(raw: msgspec.Raw) -> Resource:
    said = {} if raw is _NONE else mapping(decode(bytes(raw), _LIMITS))
    seen = present(attributes(said.get("attributes")))
    return Resource(seen, *parted(seen))


def _context(raw: Raw, said: dict[str, Json]) -> tuple[bool, Resource]:
    if isinstance(raw.context, Context):
        return raw.context.kind == "span", raw.context.resource
    if {"startTimeUnixNano", "endTimeUnixNano", "kind"} & said.keys():
        return True, _NOBODY
    if {"timeUnixNano", "observedTimeUnixNano", "severityNumber"} & said.keys():
        return False, _NOBODY
    raise Unreadable("wrong-shape", "neither an export, nor a span, nor a log record")


def _activity(said: dict[str, Json], own: dict[str, Json]) -> str:
    names = (
        own.get("gen_ai.operation.name"),
        own.get("mcp.method.name"),
        own.get("event.name"),
        said.get("eventName"),
        said.get("name"),
    )
    return next((name for one in names if (name := text(one, 256)) is not None), "unnamed")


def _error(own: dict[str, Json], inside: list[dict[str, Json]]) -> str | None:
    thrown = (one.get("exception.type") for one in inside)
    return text(own.get("error.type"), 256) or next(filter(None, map(text, thrown)), None)


def _status(said: dict[str, Json], own: dict[str, Json], *, span: bool) -> Status:
    """A span without error is a success: the conventions leave its status unset."""
    code = mapping(said.get("status")).get("code")
    success = own.get("success")
    if code in (2, "STATUS_CODE_ERROR") or "error.type" in own or success in (False, "false"):
        return "failure"
    return "success" if span or success in (True, "true") else "unknown"


def _client(said: dict[str, Json], seen: dict[str, Json]) -> Client | None:
    names = ["client.address", "http.client_ip"]
    if said.get("kind") in (2, "SPAN_KIND_SERVER"):  # elsewhere the peer is who was called
        names += ["network.peer.address", "net.sock.peer.addr"]
    address = next((found for name in names if (found := text(seen.get(name), 256))), None)
    agent = text(seen.get("user_agent.original"), 512)
    return Client(ip=address, user_agent=agent) if address or agent else None
