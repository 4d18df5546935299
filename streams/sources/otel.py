"""OpenTelemetry: what agents, MCP and models tell in spans, log records and metrics, as OTLP/JSON.

Read are exports (`resourceSpans`, `resourceLogs`, `resourceMetrics`; of a collector's file exporter
each line is one), and single spans and log records; those of coding agents under the names that all
others use. Of metrics each data point of `gen_ai.*`, `mcp.*` and coding agents is an Event, if it
tells an interval (delta temporality). It is of API Activity, as the calls are that it measures, but
is none of them: what was done is `metric.operation`, so that who counts calls does not count it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, Literal, NamedTuple

import msgspec

from schemas.canonical import digest
from schemas.config import Limits
from schemas.detection import Logsource
from schemas.event import Client, Edge, Event, EventEvidence, Status
from schemas.times import MINUTE
from streams.records.untrusted import decode, listing, mapping, slices, text
from streams.source import Json, Narrow, Parsed, Raw, Unreadable
from streams.telemetry import coding_agents
from streams.telemetry.conventions import NAMES
from streams.telemetry.manifests import manifest
from streams.telemetry.messages import gathered
from streams.telemetry.metrics import (
    Metric,
    ResourceMetrics,
    measured,
    points,
    refusal,
    renamed,
    served,
)
from streams.telemetry.otlp import attributes, camel, hex_id, integer, plain_value, time
from streams.telemetry.otlp import renamed as renamed_fields
from streams.telemetry.semconv import parted, present
from streams.telemetry.things import Things, ordered, relations, things
from streams.telemetry.verdicts import verdict

NAME: Final = "otel"
TITLE: Final = "OpenTelemetry"
LOGSOURCE: Final = Logsource(product="opentelemetry")
LATENESS: Final = 5 * MINUTE  # a span comes when it ends; exporters batch and retry
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset({"api_activity"})
ATTRIBUTES: Final = NAMES | {"*"}  # whatever a record says of itself is passed on
VERSIONS: Final = (
    "OTLP 1.x, fields named as in JSON or as in protobuf; GenAI and MCP conventions of 2024 to"
    " November 2026; OpenInference 0.1; Vercel AI SDK 4 to 6; logs and spans of Claude Code, Codex"
    " and Gemini CLI as of 2026"
)
GAPS: Final = (
    "Cumulative metrics are refused: an export repeats all since the start. Gauges are not read.",
    "A span and the log record of its details are two Events where both are exported.",
    "Content that was uploaded elsewhere and is named by a reference is not fetched.",
)

_EXPORTS: Final = (
    *(b'"resourceSpans"', b'"resourceLogs"', b'"resourceMetrics"'),
    *(b'"resource_spans"', b'"resource_logs"', b'"resource_metrics"'),
)
_SINGLE: Final = (
    *(b'"spanId"', b'"timeUnixNano"', b'"SPAN_KIND_'),
    *(b'"time_unix_nano"', b'"end_time_unix_nano"'),
)
_EVENTS: Final = 64  # events of one span that are read
_GUARDRAILS: Final = ("aws.bedrock.guardrail.id", "gen_ai.guardrail.id")  # often only in events
_SERVERS: Final = (2, "SPAN_KIND_SERVER")
# Kind of a span -> the status of HTTP from which on it is an error of that side.
_REFUSED: Final = {"2": 500, "SPAN_KIND_SERVER": 500, "3": 400, "SPAN_KIND_CLIENT": 400}
_OK: Final = (1, "STATUS_CODE_OK")  # whoever wrote the program says that this is no error
_PLACE: Final = ("application", "workload")
_LIMITS: Final = Limits()
_LONG: Final = 8_192  # bytes of a resource
_NONE: Final = msgspec.Raw()


# Fields of several words twice, as JSON and as protobuf name them.
class _Spans(msgspec.Struct):
    spans: list[msgspec.Raw] | None = None


class _Logs(msgspec.Struct):
    records: list[msgspec.Raw] | None = msgspec.field(default=None, name="logRecords")
    log_records: list[msgspec.Raw] | None = None


class _ResourceSpans(msgspec.Struct):
    resource: msgspec.Raw = _NONE
    scopes: list[_Spans] | None = msgspec.field(default=None, name="scopeSpans")
    scope_spans: list[_Spans] | None = None


class _ResourceLogs(msgspec.Struct):
    resource: msgspec.Raw = _NONE
    scopes: list[_Logs] | None = msgspec.field(default=None, name="scopeLogs")
    scope_logs: list[_Logs] | None = None


class _Export(msgspec.Struct):
    spans: list[_ResourceSpans] | None = msgspec.field(default=None, name="resourceSpans")
    logs: list[_ResourceLogs] | None = msgspec.field(default=None, name="resourceLogs")
    metrics: list[ResourceMetrics] | None = msgspec.field(default=None, name="resourceMetrics")
    resource_spans: list[_ResourceSpans] | None = None
    resource_logs: list[_ResourceLogs] | None = None
    resource_metrics: list[ResourceMetrics] | None = None


_EXPORT: Final = msgspec.json.Decoder(_Export)


class Resource(NamedTuple):
    """Attributes of who tells, as a whole and parted into what may be kept and what may not."""

    seen: dict[str, Json]
    kept: dict[str, Json]
    private: dict[str, Json]


class Context(NamedTuple):
    """What all records of one resource share."""

    kind: Literal["span", "log", "point"]
    resource: Resource
    metric: Metric | None = None


_NOBODY: Final = Resource({}, {}, {})


def sniff(head: bytes) -> bool:
    """An export names its resources; a single record has the keys that no other format has."""
    if any(key in head for key in _EXPORTS):
        return True
    single = any(key in head for key in _SINGLE)
    return single and b'"attributes"' in head and b"aws_bedrock_agentcore" not in head


def split(document: bytes) -> Iterator[Raw]:
    """The spans and log records of an export, or the one record."""
    export = slices(document, _EXPORT)
    told = (export.spans, export.resource_spans, export.logs, export.resource_logs)
    calls = any(one is not None for one in told)
    if not calls and export.metrics is None and export.resource_metrics is None:
        return iter((Raw(document),))
    found: list[tuple[Context, list[msgspec.Raw]]] = []
    for spans in export.spans or export.resource_spans or ():
        context = Context("span", _resource(spans.resource))
        scopes = spans.scopes or spans.scope_spans or ()
        found += [(context, scope.spans or []) for scope in scopes]
    for logs in export.logs or export.resource_logs or ():
        context = Context("log", _resource(logs.resource))
        parts = logs.scopes or logs.scope_logs or ()
        found += [(context, scope.records or scope.log_records or []) for scope in parts]
    metrics = export.metrics or export.resource_metrics or []
    resources = [_resource(one.resource) for one in metrics]
    found += [
        (Context("point", resources[at], metric), [point]) for at, metric, point in points(metrics)
    ]
    if not calls and not found:
        raise refusal(metrics)
    return (Raw(bytes(record), context) for context, records in found for record in records)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """What one span did, one log record tells, or one data point measured."""
    if not isinstance(record, dict):
        raise Unreadable("wrong-shape", "a span or log record is an object")
    said = camel(mapping(record))
    kind, resource, metric = _context(raw, said)
    when = (
        time(said.get("endTimeUnixNano"), said.get("startTimeUnixNano"))
        if kind == "span"
        else time(said.get("timeUnixNano"), said.get("observedTimeUnixNano"))
    )
    happened = [mapping(one) for one in listing(said.get("events"))[:_EVENTS]]
    inside = [present(attributes(one.get("attributes"))) for one in happened]
    names = [one.get("name") for one in happened]
    own = _own(said, kind, resource, metric)
    own = gathered(own, _name(said, own), list(zip(names, inside, strict=True)))
    error = _error(own, inside)
    if error is not None:
        own["error.type"] = error
    guarding = {name: one[name] for one in inside for name in _GUARDRAILS if name in one}
    seen = resource.seen | guarding | own
    activity = metric.name if metric else _activity(said, own)
    found = things(seen, own)
    kept, private = parted(guarding | own)
    kept = resource.kept | kept | verdict(own, *inside)
    if own.get("mcp.method.name") == "tools/list" or (
        "mcp_server" in found and "gen_ai.tool.definitions" in own
    ):
        kept |= manifest(own)
    values = measured(metric, said) if metric else {}
    if metric:
        kept = renamed(kept) | values
    trace, unit = hex_id(said.get("traceId")), hex_id(said.get("spanId"))
    if trace is not None:
        kept["trace.id"] = trace
    entities = ordered(found, activity)
    actors = (found.get("agent"), found.get("principal"), found.get("application"))
    apart = served(metric) if metric else said.get("kind") in _SERVERS and "mcp.method.name" in own
    return Parsed(
        Event(
            uid=f"{trace}:{unit}"
            if kind == "span" and trace and unit
            else digest(NAME, evidence.sha256, resource.seen, *(metric or ())),
            time=when,
            source=NAME,
            class_uid=6003,
            class_name="API Activity",
            activity=activity,
            status=_status(said, own, span=kind == "span"),
            message=" ".join((activity, *(f"{one.kind}:{one.id}" for one in entities[:1]))),
            actor=next((one for one in actors if one and one not in entities[:1]), None),
            client=_client(said, seen),
            entities=entities,
            edges=() if metric and not any(_counted(values)) else _edges(found, apart=apart),
            attributes=kept,
            evidence=evidence,
        ),
        resource.private | private,
    )


def _own(
    said: dict[str, Json], kind: str, resource: Resource, metric: Metric | None
) -> dict[str, Json]:
    """The attributes of a record under present names, with the body of a log record."""
    own = present(attributes(said.get("attributes")))
    if kind == "span":
        return coding_agents.said(own, said.get("name"), None)
    if metric is not None:
        return coding_agents.counted(own, metric.name)
    body = plain_value(said.get("body"))
    if body is not None:
        own.setdefault("body", body)
    name = _name(said, own)
    prefixed = body if isinstance(body, str) and body.endswith(f".{name}") else name
    return coding_agents.said(own, prefixed, resource.seen.get("service.name"))


def _name(said: dict[str, Json], own: dict[str, Json]) -> Json:
    """What a log record calls itself."""
    return said.get("eventName") or own.get("event.name")


def _counted(values: dict[str, Json]) -> tuple[Json, Json]:
    return values.get("metric.count"), values.get("metric.value")


def _edges(found: Things, *, apart: bool) -> tuple[Edge, ...]:
    """`apart`: the application is the server, which uses nothing of what it is asked for."""
    if not apart:
        return tuple(relations(found))
    caller: Things = {kind: one for kind, one in found.items() if kind != "application"}
    place: Things = {kind: one for kind, one in found.items() if kind in _PLACE}
    return (*relations(caller), *relations(place))


def _resource(raw: msgspec.Raw) -> Resource:
    data = bytes(raw)
    return _known(data) if len(data) <= _LONG else _decoded(data)


def _decoded(data: bytes) -> Resource:
    said = mapping(decode(data, _LIMITS)) if data else {}
    if b'_value"' in data:
        said = mapping(renamed_fields(said))
    seen = present(attributes(said.get("attributes")))
    return Resource(seen, *parted(seen))


_known: Final = lru_cache(maxsize=256)(_decoded)  # a process says the same with every export


def _context(raw: Raw, said: dict[str, Json]) -> Context:
    if isinstance(raw.context, Context):
        return raw.context
    if {"startTimeUnixNano", "endTimeUnixNano", "kind"} & said.keys():
        return Context("span", _NOBODY)
    if {"timeUnixNano", "observedTimeUnixNano", "severityNumber"} & said.keys():
        return Context("log", _NOBODY)
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
    """A span without error is a success: the conventions leave its status unset.

    Where it is, an HTTP status is an error as the conventions for HTTP say: 4xx only to who asked.
    """
    code = mapping(said.get("status")).get("code")
    success = own.get("success")
    if code in (2, "STATUS_CODE_ERROR") or "error.type" in own or success in (False, "false"):
        return "failure"
    if span and code not in _OK:
        answered = integer(own.get("http.response.status_code"))
        least = _REFUSED.get(text(said.get("kind"), 32) or "")
        if least is not None and answered is not None and answered >= least:
            return "failure"
    return "success" if span or success in (True, "true") else "unknown"


def _client(said: dict[str, Json], seen: dict[str, Json]) -> Client | None:
    names = ["client.address", "http.client_ip"]
    if said.get("kind") in _SERVERS:  # elsewhere the peer is who was called
        names += ["network.peer.address", "net.sock.peer.addr"]
    address = next((found for name in names if (found := text(seen.get(name), 256))), None)
    agent = text(seen.get("user_agent.original"), 512)
    return Client(ip=address, user_agent=agent) if address or agent else None
