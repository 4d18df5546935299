"""MCP JSON-RPC: the messages between clients and MCP servers, as a gateway or proxy captured them.

Read are JSON-RPC 2.0 messages with the fields that a capture puts beside them; messages under
`message`, `payload`, `data`, `body` or `event` of a wrapper (also as a JSON text, as Splunk's
collector has it); and wrappers of both a `request` and its `response`. A capture says when
(`time`, `timestamp`, `ts`), which server (`server`, `server_name`, `server_url`, `command`), which
session and who; a bare message without a time is rejected.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from schemas.detection import Logsource
from schemas.event import EventEvidence, Status
from schemas.times import MINUTE
from streams.names import mcp
from streams.records.clocks import clock
from streams.records.envelope import records
from streams.records.untrusted import entity, mapping, opened, text
from streams.source import Json, Narrow, Parsed, Raw, Unreadable
from streams.telemetry import runtime
from streams.telemetry.otlp import hex_id
from streams.telemetry.runtime import Told

NAME: Final = "mcp_jsonrpc"
TITLE: Final = "MCP JSON-RPC capture"
LOGSOURCE: Final = Logsource(product="mcp", service="jsonrpc")
LATENESS: Final = 5 * MINUTE
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset({"api_activity"})
ATTRIBUTES: Final = frozenset(
    """
    error.type gen_ai.agent.id gen_ai.input.messages gen_ai.input.messages.size
    gen_ai.system_instructions gen_ai.system_instructions.size gen_ai.tool.call.arguments
    gen_ai.tool.call.arguments.size gen_ai.tool.call.result gen_ai.tool.call.result.size
    gen_ai.tool.definitions gen_ai.tool.definitions.size gen_ai.tool.name jsonrpc.error.code
    jsonrpc.kind jsonrpc.request.id mcp.client.name mcp.client.version mcp.direction
    mcp.manifest.cues mcp.manifest.sha256 mcp.method.name mcp.prompt.name mcp.protocol.version
    mcp.resource.uri mcp.server.name mcp.session.id service.name trace.id user.email user.id
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
VERSIONS: Final = "MCP 2024-11-05 to 2025-11-25; Splunk sourcetype mcp:jsonrpc"
GAPS: Final = (
    "A response alone does not say which request it answers: its shape tells (tools: tools/list).",
    "JSON-RPC batches (until 2025-06-18) are read only where each message has its own time.",
)

_INNER: Final = (
    *("message", "payload", "data", "body", "event", "jsonrpc_message", "raw", "_raw", "msg"),
)
_NESTED: Final = 3  # wrappers in wrappers
# Others that carry such messages inside a record of their own.
_FOREIGN: Final = (
    *(b'"resourceSpans"', b'"resourceLogs"', b'"specversion"', b'"call_type"'),
    *(b'"resource_spans"', b'"resource_logs"', b'"time_unix_nano"', b'"end_time_unix_nano"'),
    *(b'"eventSource"', b'"event_timestamp"', b'"protoPayload"', b'"operationName"'),
)
# By what a result holds, which method it answers.
_ANSWERED: Final = {
    "tools": "tools/list",
    "serverInfo": "initialize",
    "resources": "resources/list",
    "prompts": "prompts/list",
    "contents": "resources/read",
    "content": "tools/call",
    "structuredContent": "tools/call",
    "completion": "completion/complete",
}


class _Capture(NamedTuple):
    """A request, a response or both, and what stands around them, the innermost first."""

    request: dict[str, Json]
    response: dict[str, Json]
    around: tuple[Mapping[str, Json], ...]

    def of(self, *names: str) -> Json:
        """The first of these fields that any wrapper has."""
        found = (one.get(name) for one in self.around for name in names)
        return next((value for value in found if value not in (None, "")), None)


def sniff(head: bytes) -> bool:
    """The version that every message of JSON-RPC 2.0 has, also inside a text."""
    rpc = b'"jsonrpc"' in head or rb"\"jsonrpc\"" in head
    return rpc and not any(key in head for key in _FOREIGN)


def split(document: bytes) -> Iterator[Raw]:
    """The messages of a document."""
    return records(document, "messages", "entries", "logs")


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:  # noqa: ARG001 - the protocol
    """One message, or a request with its response."""
    capture = _capture(mapping(record))
    asked, result = mapping(capture.request.get("params")), capture.response.get("result")
    answer = mapping(result)
    method = text(capture.request.get("method"), 256) or text(capture.of("method", "rpc_method"))
    if method is None and capture.response:
        method = next((name for key, name in _ANSWERED.items() if key in answer), "response")
    if method is None:
        raise Unreadable("wrong-shape", "neither a request nor a response of JSON-RPC 2.0")
    seconds = capture.of("time", "timestamp", "@timestamp", "ts", "_time", "datetime")
    about, who = mapping(answer.get("serverInfo")), mapping(asked.get("clientInfo"))
    title = about.get("name") or capture.of("server_name", "serverName", "mcp_server", "backend")
    place = capture.of("server", "target", "upstream")
    url = capture.of("server_url", "serverUrl", "url", "endpoint")
    title, url = title or mapping(place).get("name"), url or mapping(place).get("url")
    if "://" in (text(place) or ""):
        url = url or place
    error = mapping(capture.response.get("error"))
    calls, asks = method == "tools/call", method == "elicitation/create"
    given: dict[str, Json] = {
        "mcp.method.name": method,
        "mcp.session.id": capture.of("session_id", "sessionId", "mcp_session_id", "session"),
        "mcp.protocol.version": answer.get("protocolVersion") or asked.get("protocolVersion"),
        "mcp.server.name": title or (place if isinstance(place, str) else None),
        "mcp.resource.uri": asked.get("uri") if method.startswith("resources/") else None,
        "mcp.client.name": who.get("name"),
        "mcp.client.version": who.get("version"),
        "mcp.direction": text(capture.of("direction"), 64),
        "mcp.prompt.name": asked.get("name") if method == "prompts/get" else None,
        "jsonrpc.request.id": text(capture.request.get("id", capture.response.get("id")), 128),
        "jsonrpc.kind": _kind(capture),
        "jsonrpc.error.code": text(error.get("code")),
        "error.type": "tool_error" if answer.get("isError") is True else text(error.get("code")),
        "gen_ai.tool.name": (asked.get("name") if calls else None)
        or (capture.of("tool_name", "tool") if calls else None),
        "gen_ai.tool.call.arguments": asked.get("arguments") or None,
        "gen_ai.tool.call.result": _content(method, answer) or error.get("message"),
        "gen_ai.tool.definitions": answer.get("tools") if method == "tools/list" else None,
        # What a server asks a model (sampling/createMessage), or a user (elicitation/create)
        "gen_ai.input.messages": asked.get("messages") or (asked.get("message") if asks else None),
        "gen_ai.system_instructions": asked.get("systemPrompt"),
        "gen_ai.agent.id": capture.of("agent_id", "agentId", "agent"),
        "service.name": capture.of("application", "app", "client_name", "service"),
        "user.id": capture.of("user_id", "userId", "user", "principal"),
        "user.email": capture.of("user_email", "email"),
        "trace.id": capture.of("trace_id", "traceId") or _traced(asked),
    }
    return runtime.runtime(
        Told(
            source=NAME,
            uid=evidence.sha256,
            time=clock(seconds),
            activity=method,
            said=given,
            status=_status(capture, answer),
            others={
                "mcp_server": mcp.server(
                    url=url,
                    command=capture.of("command", "server_command"),
                    args=capture.of("args", "server_args"),
                    title=given["mcp.server.name"],
                ),
                "host": entity("host", (text(capture.of("host", "hostname")) or "").lower()),
            },
            client=runtime.client(
                capture.of("client_ip", "source_ip", "src_ip", "remote_addr", "client_address"),
                capture.of("user_agent", "userAgent"),
            ),
        ),
        evidence,
    )


def _capture(record: dict[str, Json]) -> _Capture:
    around: tuple[Mapping[str, Json], ...] = (record,)
    inner: dict[str, Json] = record
    for _ in range(_NESTED):
        pair = mapping(opened(inner.get("request"))), mapping(opened(inner.get("response")))
        if any("jsonrpc" in one or {"method", "result"} & one.keys() for one in pair):
            return _Capture(*pair, around)
        if "jsonrpc" in inner:
            if "method" in inner:
                return _Capture(inner, {}, around)
            return _Capture({}, inner if {"result", "error"} & inner.keys() else {}, around)
        found = [one for name in _INNER if (one := mapping(opened(inner.get(name))))]
        inner = found[0] if found else {}
        around = (inner, *around)
    raise Unreadable("wrong-shape", "no message of JSON-RPC 2.0 is in it")


def _traced(asked: Mapping[str, Json]) -> str | None:
    """The trace that the sender of a request is in (W3C Trace Context)."""
    parent = text(mapping(asked.get("_meta")).get("traceparent"), 64) or ""
    parts = parent.split("-")
    return hex_id(parts[1]) if len(parts) == 4 and len(parts[1]) == 32 else None


def _kind(capture: _Capture) -> str:
    if capture.request and capture.response:
        return "exchange"
    if capture.response:
        return "response"
    return "request" if "id" in capture.request else "notification"


def _status(capture: _Capture, answer: Mapping[str, Json]) -> Status:
    if "error" in capture.response or answer.get("isError") is True:
        return "failure"
    return "success" if "result" in capture.response else "unknown"


def _content(method: str, answer: Mapping[str, Json]) -> Json:
    if method in {"tools/list", "initialize"}:
        return None
    return answer.get("structuredContent") or answer.get("content") or answer.get("contents")
