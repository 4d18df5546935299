"""Captures of MCP: requests, responses and both."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from schemas.config import Limits
from schemas.event import Event, Reject
from streams.reading import outcomes
from streams.source import Parsed, named
from tests.streams.sources.conftest import Read

EXAMPLES = Path(__file__).parent / "examples"


def parsed(name: str) -> list[Parsed]:
    found = [one.result for one in outcomes(str(EXAMPLES / name), Limits(), named("mcp_jsonrpc"))]
    assert not [one for one in found if isinstance(one, Reject)]
    return [one for one in found if not isinstance(one, Reject)]


def body(event: Event) -> dict[str, Any]:
    return {key: value for key, value in event.body().items() if key != "evidence"}


def test_a_request() -> None:
    event, _ = parsed("mcp_jsonrpc.jsonl")[2]
    assert body(event) == {
        "uid": "eff182bd6ca707cba14ac98cb4c02c703c24c1bf6dc13fcdfd5bf204de776334",
        "time": "2026-03-04T05:06:07.300000Z",
        "source": "mcp_jsonrpc",
        "class_uid": 6003,
        "class_name": "API Activity",
        "activity": "tools/call",
        "status": "unknown",
        "severity": "informational",
        "message": "tools/call tool:pages.example/read_page",
        "actor": {"kind": "principal", "id": "ada@example.com"},
        "client": {"ip": "203.0.113.7"},
        "entities": [
            {"kind": "tool", "id": "pages.example/read_page", "name": "read_page"},
            {"kind": "session", "id": "s-1"},
            {"kind": "principal", "id": "ada@example.com"},
            {"kind": "mcp_server", "id": "pages.example"},
        ],
        "edges": [
            {
                "from": {"kind": "tool", "id": "pages.example/read_page", "name": "read_page"},
                "relation": "served_by",
                "to": {"kind": "mcp_server", "id": "pages.example"},
                "declared": False,
                "state": "open",
            },
            {
                "from": {"kind": "principal", "id": "ada@example.com"},
                "relation": "uses",
                "to": {"kind": "mcp_server", "id": "pages.example"},
                "declared": False,
                "state": "open",
            },
        ],
        "attributes": {
            "mcp.method.name": "tools/call",
            "mcp.session.id": "s-1",
            "jsonrpc.request.id": "3",
            "jsonrpc.kind": "request",
            "gen_ai.tool.name": "read_page",
            "gen_ai.tool.call.arguments.size": 22,
            "user.id": "ada@example.com",
        },
    }


def test_an_exchange_that_failed() -> None:
    event, _ = parsed("mcp_jsonrpc.jsonl")[3]
    assert body(event) == {
        "uid": "63eeb1a96c704d1dacaddcf379615e53a5242af3dc1dbc59d60a798b346fe225",
        "time": "2026-03-04T05:06:07.400000Z",
        "source": "mcp_jsonrpc",
        "class_uid": 6003,
        "class_name": "API Activity",
        "activity": "tools/call",
        "status": "failure",
        "severity": "informational",
        "message": "tools/call tool:pages.example/read_page",
        "entities": [
            {"kind": "tool", "id": "pages.example/read_page", "name": "read_page"},
            {"kind": "session", "id": "s-1"},
            {"kind": "mcp_server", "id": "pages.example"},
        ],
        "edges": [
            {
                "from": {"kind": "tool", "id": "pages.example/read_page", "name": "read_page"},
                "relation": "served_by",
                "to": {"kind": "mcp_server", "id": "pages.example"},
                "declared": False,
                "state": "open",
            }
        ],
        "attributes": {
            "mcp.method.name": "tools/call",
            "mcp.session.id": "s-1",
            "jsonrpc.request.id": "4",
            "jsonrpc.kind": "exchange",
            "error.type": "tool_error",
            "gen_ai.tool.name": "read_page",
            "gen_ai.tool.call.arguments.size": 22,
            "gen_ai.tool.call.result.size": 39,
        },
    }


def test_what_each_message_is() -> None:
    said = [
        (event.activity, event.status, event.attributes["jsonrpc.kind"])
        for event, _ in parsed("mcp_jsonrpc.jsonl")
    ]
    assert said == [
        ("initialize", "success", "response"),
        ("tools/list", "success", "response"),
        ("tools/call", "unknown", "request"),
        ("tools/call", "failure", "exchange"),
        ("tools/list", "unknown", "request"),
        ("response", "failure", "response"),
    ]


def test_what_a_server_asks_is_private_and_the_trace_is_known(read: Read) -> None:
    messages = (
        b"""{"time":"2026-03-04T05:06:07Z","server_name":"notion","message":{"jsonrpc":"2.0","id":1,
        "method":"elicitation/create","params":{"message":"your password?"}}}""",
        b"""{"time":"2026-03-04T05:06:07Z","server_name":"notion","message":{"jsonrpc":"2.0","id":2,
        "method":"sampling/createMessage","params":{"messages":[],"systemPrompt":"You are."}}}""",
        b"""{"time":"2026-03-04T05:06:07Z","server_name":"notion","message":{"jsonrpc":"2.0","id":3,
        "method":"tools/call","params":{"name":"x","_meta":{"traceparent":
        "00-5b8efff798038103d269b633813fc60c-eee19b7ec3c1b174-01"}}}}""",
    )
    found = [one.result for said in messages for one in read(named("mcp_jsonrpc"), said)]
    asked, sampled, called = (one for one in found if not isinstance(one, Reject))
    assert asked.private == {"gen_ai.input.messages": "your password?"}
    assert sampled.private["gen_ai.system_instructions"] == "You are."
    assert called.event.attributes["trace.id"] == "5b8efff798038103d269b633813fc60c"


def test_a_manifest() -> None:
    event, private = parsed("mcp_jsonrpc.jsonl")[1]
    assert event.entities[0].key == "mcp_server:pages.example"
    assert len(event.attributes["mcp.manifest.sha256"]) == 64
    assert event.attributes["mcp.manifest.cues"] == []
    assert "Reads a page." in private["gen_ai.tool.definitions"]


def test_arguments_and_results_are_private() -> None:
    _, private = parsed("mcp_jsonrpc.jsonl")[3]
    assert private == {
        "gen_ai.tool.call.arguments": '{"url":"do-not-store"}',
        "gen_ai.tool.call.result": '[{"text":"do-not-store","type":"text"}]',
    }


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b'{"jsonrpc":"2.0","id":1,"method":"ping"}', "no-time"),
        (b'{"jsonrpc":"2.0","id":1,"ts":1772600767}', "wrong-shape"),
        (b'{"message":"hello"}', "wrong-shape"),
    ],
)
def test_what_is_rejected(read: Read, document: bytes, reason: str) -> None:
    (outcome,) = read(named("mcp_jsonrpc"), document)
    assert isinstance(outcome.result, Reject)
    assert outcome.result.reason == reason


def test_an_event_of_splunk_holds_its_message_as_a_text(read: Read) -> None:
    message = '{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"file:///a"}}'
    event = {"_time": "2026-03-04T05:06:07.500+00:00", "host": "Laptop-7", "_raw": message}
    (outcome,) = read(named("mcp_jsonrpc"), orjson.dumps(event))
    assert isinstance(outcome.result, Parsed)
    found = outcome.result.event
    assert (found.activity, found.attributes["mcp.resource.uri"]) == ("resources/read", "file:///a")
    assert [one.key for one in found.entities] == ["host:laptop-7"]
