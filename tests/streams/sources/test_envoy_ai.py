"""Entries of the access log of Envoy AI Gateway."""

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
    found = [one.result for one in outcomes(str(EXAMPLES / name), Limits(), named("envoy_ai"))]
    assert not [one for one in found if isinstance(one, Reject)]
    return [one for one in found if not isinstance(one, Reject)]


def body(event: Event) -> dict[str, Any]:
    return {key: value for key, value in event.body().items() if key != "evidence"}


def test_a_model_request() -> None:
    event, _ = parsed("envoy_ai.jsonl")[0]
    assert body(event) == {
        "uid": "58ed9a156c242cf75cdf533592c18a7b",
        "time": "2026-03-04T05:06:07.894000Z",
        "source": "envoy_ai",
        "class_uid": 6003,
        "class_name": "API Activity",
        "activity": "chat",
        "status": "success",
        "severity": "informational",
        "message": "chat model:gpt-4o-mini-2024-07-18",
        "actor": {"kind": "application", "id": "ml/claims"},
        "client": {"ip": "203.0.113.7", "user_agent": "curl/8.7.1"},
        "entities": [
            {"kind": "model", "id": "gpt-4o-mini-2024-07-18"},
            {"kind": "application", "id": "ml/claims"},
        ],
        "edges": [
            {
                "from": {"kind": "application", "id": "ml/claims"},
                "relation": "calls",
                "to": {"kind": "model", "id": "gpt-4o-mini-2024-07-18"},
                "declared": False,
                "state": "open",
            }
        ],
        "attributes": {
            "envoy.cluster": "httproute/ml/claims/rule/0",
            "envoy.code_details": "via_upstream",
            "envoy.route": "httproute/ml/claims/rule/0/match/0/*",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
            "gen_ai.usage.input_tokens": 15,
            "gen_ai.usage.output_tokens": 7,
            "gen_ai.usage.total_tokens": 22,
            "http.request.duration": 1526,
            "http.request.id": "r-1",
            "http.request.method": "POST",
            "http.request.size": 105,
            "http.response.size": 432,
            "http.response.status_code": 200,
            "server.address": "models.example",
            "url.path": "/v1/chat/completions",
            "envoy.backend": "ml/openai/route/claims/rule/0/ref/0",
            "gen_ai.operation.name": "chat",
        },
    }


def test_a_number_as_a_text_is_a_number(read: Read) -> None:
    record = b"""{"start_time":"2026-03-04T05:06:07Z","response_code":200,
        "gen_ai.request.model":"m","gen_ai.usage.input_tokens":"12","gen_ai.usage.output_tokens":"-"}"""
    (outcome,) = read(named("envoy_ai"), record)
    assert not isinstance(outcome.result, Reject)
    attributes = outcome.result.event.attributes
    assert attributes["gen_ai.usage.input_tokens"] == 12
    assert "gen_ai.usage.output_tokens" not in attributes


def test_a_tool_call() -> None:
    event, _ = parsed("envoy_ai.jsonl")[2]
    assert body(event) == {
        "uid": "9fc1ef5ba3912df68781706c7fc56219",
        "time": "2026-03-04T05:06:09.000000Z",
        "source": "envoy_ai",
        "class_uid": 6003,
        "class_name": "API Activity",
        "activity": "tools/call",
        "status": "success",
        "severity": "informational",
        "message": "tools/call tool:pages/read_page",
        "client": {"ip": "192.0.2.9", "user_agent": "curl/8.7.1"},
        "entities": [
            {"kind": "tool", "id": "pages/read_page", "name": "read_page"},
            {"kind": "mcp_server", "id": "pages"},
            {"kind": "session", "id": "s-1"},
        ],
        "edges": [
            {
                "from": {"kind": "tool", "id": "pages/read_page", "name": "read_page"},
                "relation": "served_by",
                "to": {"kind": "mcp_server", "id": "pages"},
                "declared": False,
                "state": "open",
            }
        ],
        "attributes": {
            "envoy.cluster": "httproute/ml/claims/rule/0",
            "envoy.code_details": "via_upstream",
            "http.request.duration": 1526,
            "http.request.id": "r-3",
            "http.request.method": "POST",
            "http.request.size": 105,
            "http.response.size": 432,
            "http.response.status_code": 200,
            "jsonrpc.request.id": "3",
            "mcp.method.name": "tools/call",
            "mcp.session.id": "s-1",
            "url.path": "/mcp",
            "gen_ai.tool.name": "read_page",
            "mcp.server.name": "pages",
        },
    }


def test_a_refused_request() -> None:
    event, _ = parsed("envoy_ai.jsonl")[1]
    assert (event.activity, event.status) == ("embeddings", "failure")
    assert "gen_ai.provider.name" not in event.attributes  # `-` is what Envoy does not know


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b'{"start_time":"2026-03-04T05:06:07Z","response_code":200}', "wrong-shape"),
        (b'{"gen_ai.request.model":"m","response_code":200}', "no-time"),
    ],
)
def test_what_is_rejected(read: Read, document: bytes, reason: str) -> None:
    (outcome,) = read(named("envoy_ai"), document)
    assert isinstance(outcome.result, Reject)
    assert outcome.result.reason == reason


def test_the_keys_of_the_first_versions(read: Read) -> None:
    record = {
        "start_time": "2026-03-04T05:06:07Z",
        "response_code": "200",
        "path": "/v1/chat/completions",
        "upstream_cluster": "httproute/ml/claims/rule/0",
        "genai_model_name": "writer",
        "genai_backend_name": "ml/provider/route/claims/rule/0/ref/0",
        "genai_tokens_input": 44,
        "genai_tokens_output": 12,
    }
    document = orjson.dumps(record)
    assert named("envoy_ai").sniff(document)
    (outcome,) = read(named("envoy_ai"), document)
    assert isinstance(outcome.result, Parsed)
    event = outcome.result.event
    assert (event.activity, event.status) == ("chat", "success")
    assert [one.key for one in event.entities] == ["model:writer", "application:ml/claims"]
    assert event.attributes["envoy.backend"] == "ml/provider/route/claims/rule/0/ref/0"
    assert event.attributes["gen_ai.usage.input_tokens"] == 44
    assert event.attributes["http.response.status_code"] == 200
