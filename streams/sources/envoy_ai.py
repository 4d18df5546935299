"""Envoy AI Gateway: each request of a model or an MCP server, as its access log tells it.

Read are the lines of a JSON access log whose keys are the documented ones (`gen_ai.*`, `mcp.*`,
`start_time`, `route_name`, `x-request-id`, ...); the operator chooses them, so most may be absent.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from schemas.canonical import digest
from schemas.detection import Logsource
from schemas.entity import Entity
from schemas.event import EventEvidence, Status
from schemas.times import MINUTE
from streams.names import mcp
from streams.records.clocks import clock
from streams.records.envelope import records
from streams.records.untrusted import entity, mapping, text
from streams.source import Json, Narrow, Parsed, Raw, Unreadable
from streams.telemetry import runtime
from streams.telemetry.runtime import Told
from streams.telemetry.semconv import figure

NAME: Final = "envoy_ai"
TITLE: Final = "Envoy AI Gateway access log"
LOGSOURCE: Final = Logsource(product="envoy", service="ai_gateway")
LATENESS: Final = 5 * MINUTE
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset({"api_activity"})
ATTRIBUTES: Final = frozenset(
    """
    envoy.backend envoy.cluster envoy.code_details envoy.flags envoy.route gen_ai.operation.name
    gen_ai.provider.name gen_ai.request.model gen_ai.request.model_override gen_ai.response.model
    gen_ai.tool.name gen_ai.usage.input_tokens gen_ai.usage.output_tokens gen_ai.usage.total_tokens
    http.request.duration http.request.id http.request.method http.request.size http.response.size
    http.response.status_code jsonrpc.request.id mcp.method.name mcp.server.name mcp.session.id
    server.address url.path user.id
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
VERSIONS: Final = "the access logs that the documentation of 0.1 to 0.4 shows"
GAPS: Final = (
    "Only the documented keys are known: what an operator renames is lost.",
    "A log without `gen_ai.` and `mcp.` keys is plain Envoy, and is not read.",
    "Who called is not in the log unless a header with it was added (`x-user-id`).",
)

_OPERATIONS: Final = (
    ("/chat/completions", "chat"),
    ("/v1/messages", "chat"),
    ("/responses", "chat"),
    ("/embeddings", "embeddings"),
    ("/completions", "text_completion"),
)
_KEPT: Final = {
    "envoy.cluster": "upstream_cluster",
    "envoy.code_details": "response_code_details",
    "envoy.flags": "response_flags",
    "envoy.route": "route_name",
    "gen_ai.request.model": "gen_ai.request.model",
    "gen_ai.request.model_override": "gen_ai.request.model_override",
    "gen_ai.response.model": "gen_ai.response.model",
    "gen_ai.usage.input_tokens": "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens": "gen_ai.usage.output_tokens",
    "gen_ai.usage.total_tokens": "gen_ai.usage.total_tokens",
    "http.request.duration": "duration",
    "http.request.id": "x-request-id",
    "http.request.method": "method",
    "http.request.size": "bytes_received",
    "http.response.size": "bytes_sent",
    "http.response.status_code": "response_code",
    "jsonrpc.request.id": "jsonrpc.request.id",
    "mcp.method.name": "mcp.method.name",
    "mcp.session.id": "mcp.session.id",
    "server.address": ":authority",
    "url.path": "x-envoy-origin-path",
    "user.id": "x-user-id",
}
# What the keys were called at first.
_OLD: Final = {
    "genai_backend_name": "gen_ai.provider.name",
    "genai_model_name": "gen_ai.request.model",
    "genai_model_name_override": "gen_ai.request.model_override",
    "genai_tokens_input": "gen_ai.usage.input_tokens",
    "genai_tokens_output": "gen_ai.usage.output_tokens",
    "genai_tokens_total": "gen_ai.usage.total_tokens",
}


def sniff(head: bytes) -> bool:
    """A line of an access log that has keys of the gateway."""
    if b'"response_code"' not in head:
        return False
    new = b'"start_time"' in head and (b'"gen_ai.' in head or b'"mcp.' in head)
    return new or b'"genai_model_name"' in head


def split(document: bytes) -> Iterator[Raw]:
    """The entries of a document."""
    return records(document)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:  # noqa: ARG001 - the protocol
    """One request, and what it used."""
    said = {_OLD.get(name, name): value for name, value in mapping(record).items()}
    own = [name for name in said if name.startswith(("gen_ai.", "mcp."))]
    if not own:
        raise Unreadable("wrong-shape", "an entry has keys gen_ai.* or mcp.*; this is plain Envoy")
    when = clock(said.get("start_time"))
    given: dict[str, Json] = {ours: _value(said.get(theirs)) for ours, theirs in _KEPT.items()}
    given["url.path"] = given["url.path"] or _value(said.get("path"))
    given["http.response.status_code"] = figure(given["http.response.status_code"])
    tool, backend = _value(said.get("mcp.tool.name")), text(said.get("mcp.provider.name"), 256)
    given["gen_ai.tool.name"] = tool
    route, behind = _provider(_value(said.get("gen_ai.provider.name")))
    given |= {"gen_ai.provider.name": route, "envoy.backend": behind, "mcp.server.name": backend}
    is_mcp = any(given[name] for name in ("mcp.method.name", "mcp.session.id", "mcp.server.name"))
    path = text(given["url.path"]) or ""
    operation = None if is_mcp else next((name for end, name in _OPERATIONS if end in path), None)
    given["gen_ai.operation.name"] = operation
    gateway = given["server.address"]
    cluster = None if is_mcp else said.get("upstream_cluster")  # it has the name of the route
    if is_mcp and backend:
        given["server.address"] = None  # that is where the gateway listens, not the server
    known = text(said.get("x-request-id"), 128)
    forwarded = text(said.get("x-forwarded-for"), 512)
    address = forwarded.partition(",")[0].strip() if forwarded else _host(said)
    return runtime.runtime(
        Told(
            source=NAME,
            uid=digest(NAME, known, when) if known else evidence.sha256,
            time=when,
            activity=text(given["mcp.method.name"], 256) or operation or "request",
            said=given,
            status=_status(said.get("response_code")),
            others={
                "application": _route(said.get("route_name") or cluster, gateway),
                "mcp_server": mcp.server(title=backend),
            },
            client=runtime.client(address, said.get("user-agent")),
        ),
        evidence,
    )


def _value(value: Json) -> Json:
    """Envoy writes `-` where it knows nothing."""
    return None if value in ("-", "") else value


def _provider(value: Json) -> tuple[str | None, str | None]:
    """(provider, backend): what the documentation maps to the provider is the backend's name."""
    known = text(value, 512)
    return (None, known) if known and "/" in known else (known, None)


def _route(route: Json, gateway: Json) -> Entity | None:
    """The application that a gateway serves: the HTTPRoute, without its rule and match."""
    parts = (text(route, 512) or "").split("/")
    if parts[0] == "httproute" and len(parts) >= 3:
        return entity("application", f"{parts[1]}/{parts[2]}")
    return entity("application", gateway)


def _host(said: dict[str, Json]) -> str | None:
    address = text(said.get("downstream_remote_address"), 256)
    return address.rpartition(":")[0].strip("[]") if address and ":" in address else address


def _status(code: Json) -> Status:
    number = int(code) if isinstance(code, str) and code.isdecimal() and len(code) < 4 else code
    if isinstance(number, bool) or not isinstance(number, int) or number == 0:
        return "unknown"
    return "success" if number < 400 else "failure"
