"""LiteLLM payloads, old and new, and what their guardrails said."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from correlators.normal import normal_form
from schemas.config import Limits
from schemas.event import Event, Reject
from streams.reading import outcomes
from streams.source import Parsed, named
from tests.streams.sources.conftest import Read

EXAMPLES = Path(__file__).parent / "examples"


def parsed(name: str) -> list[Parsed]:
    found = [one.result for one in outcomes(str(EXAMPLES / name), Limits(), named("litellm"))]
    assert not [one for one in found if isinstance(one, Reject)]
    return [one for one in found if not isinstance(one, Reject)]


def body(event: Event) -> dict[str, Any]:
    return {key: value for key, value in event.body().items() if key != "evidence"}


def test_a_refused_call() -> None:
    event, _ = parsed("litellm.jsonl")[1]
    assert body(event) == {
        "uid": "b1c05b902c7144d644b89b7c6e8bcdf6",
        "time": "2026-03-04T05:06:07.250000Z",
        "source": "litellm",
        "class_uid": 6003,
        "class_name": "API Activity",
        "activity": "chat",
        "status": "failure",
        "severity": "informational",
        "message": "chat model:vendor.m-v1:0",
        "actor": {"kind": "principal", "id": "ada@example.com"},
        "client": {"ip": "203.0.113.7", "user_agent": "OpenAI/Python 1.99"},
        "entities": [
            {"kind": "model", "id": "vendor.m-v1:0"},
            {"kind": "session", "id": "t-1"},
            {"kind": "principal", "id": "ada@example.com"},
            {
                "kind": "apikey",
                "id": "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b",
                "name": "claims-prod",
            },
            {"kind": "guardrail", "id": "prompt-shield"},
        ],
        "edges": [
            {
                "from": {"kind": "principal", "id": "ada@example.com"},
                "relation": "owns",
                "to": {
                    "kind": "apikey",
                    "id": "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b",
                    "name": "claims-prod",
                },
                "declared": False,
                "state": "open",
            },
            {
                "from": {"kind": "principal", "id": "ada@example.com"},
                "relation": "calls",
                "to": {"kind": "model", "id": "vendor.m-v1:0"},
                "declared": False,
                "state": "open",
            },
        ],
        "attributes": {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "aws.bedrock",
            "gen_ai.request.model": "eu.vendor.m-v1:0",
            "gen_ai.response.id": "chatcmpl-2",
            "gen_ai.usage.input_tokens": 11,
            "gen_ai.usage.output_tokens": 7,
            "gen_ai.conversation.id": "t-1",
            "gen_ai.input.messages.size": 42,
            "gen_ai.output.messages.size": 2,
            "user.email": "Ada@Example.com",
            "user.id": "u-7",
            "litellm.cache_hit": False,
            "litellm.call_type": "acompletion",
            "gen_ai.usage.cost_usd": 0.0125,
            "litellm.end_user": "customer-9",
            "litellm.key.alias": "claims-prod",
            "litellm.model.group": "claims-model",
            "litellm.organization": "org-1",
            "litellm.tags": ["claims"],
            "litellm.team": "team-ml",
            "litellm.team.alias": "ML",
            "error.code": "400",
            "error.type": "HTTPException",
            "guardrail.name": ["prompt-shield"],
            "guardrail.status": ["guardrail_intervened"],
            "guardrail.verdict": "deny",
            "guardrail.category": "prompt_attack",
        },
    }


def test_a_tool_call() -> None:
    event, _ = parsed("litellm.jsonl")[3]
    assert body(event) == {
        "uid": "40c7053c2e0e4d138063b857052217b0",
        "time": "2026-03-04T05:06:07.250000Z",
        "source": "litellm",
        "class_uid": 6003,
        "class_name": "API Activity",
        "activity": "execute_tool",
        "status": "success",
        "severity": "informational",
        "message": "execute_tool tool:pages/read_page",
        "actor": {"kind": "principal", "id": "ada@example.com"},
        "client": {"ip": "203.0.113.7", "user_agent": "OpenAI/Python 1.99"},
        "entities": [
            {"kind": "tool", "id": "pages/read_page", "name": "read_page"},
            {"kind": "mcp_server", "id": "pages"},
            {"kind": "session", "id": "t-1"},
            {"kind": "principal", "id": "ada@example.com"},
            {
                "kind": "apikey",
                "id": "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b",
                "name": "claims-prod",
            },
        ],
        "edges": [
            {
                "from": {"kind": "tool", "id": "pages/read_page", "name": "read_page"},
                "relation": "served_by",
                "to": {"kind": "mcp_server", "id": "pages"},
                "declared": False,
                "state": "open",
            },
            {
                "from": {"kind": "principal", "id": "ada@example.com"},
                "relation": "owns",
                "to": {
                    "kind": "apikey",
                    "id": "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b",
                    "name": "claims-prod",
                },
                "declared": False,
                "state": "open",
            },
            {
                "from": {"kind": "principal", "id": "ada@example.com"},
                "relation": "uses",
                "to": {"kind": "mcp_server", "id": "pages"},
                "declared": False,
                "state": "open",
            },
        ],
        "attributes": {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.provider.name": "mcp",
            "gen_ai.response.id": "mcp-1",
            "gen_ai.usage.input_tokens": 11,
            "gen_ai.usage.output_tokens": 7,
            "gen_ai.conversation.id": "t-1",
            "gen_ai.tool.name": "read_page",
            "gen_ai.tool.call.arguments.size": 22,
            "mcp.method.name": "tools/call",
            "mcp.server.name": "pages",
            "user.email": "Ada@Example.com",
            "user.id": "u-7",
            "litellm.cache_hit": False,
            "litellm.call_type": "call_mcp_tool",
            "gen_ai.usage.cost_usd": 0.0125,
            "litellm.end_user": "customer-9",
            "litellm.key.alias": "claims-prod",
            "litellm.model.group": "claims-model",
            "litellm.organization": "org-1",
            "litellm.tags": ["claims"],
            "litellm.team": "team-ml",
            "litellm.team.alias": "ML",
        },
    }


def test_old_and_new_guardrails() -> None:
    said = [
        (
            event.attributes.get("guardrail.status"),
            event.attributes.get("guardrail.verdict"),
            event.attributes.get("guardrail.category"),
        )
        for event, _ in parsed("litellm.jsonl")
    ]
    assert said == [
        (["success", "success"], "modify", "pii"),
        (["guardrail_intervened"], "deny", "prompt_attack"),
        (["failure"], "deny", "prompt_attack"),  # one object; the vendor's own answer speaks
        (None, None, None),
        (["not_run"], None, None),
    ]


def test_content_is_private() -> None:
    event, private = parsed("litellm.jsonl")[0]
    assert private["gen_ai.input.messages"] == '[{"content":"do-not-store","role":"user"}]'
    assert event.attributes["gen_ai.input.messages.size"] == 42


def test_a_spend_log_has_json_in_texts() -> None:
    event, private = parsed("litellm.jsonl")[4]
    assert event.attributes["litellm.tags"] == ["a"]
    assert event.attributes["gen_ai.usage.cost_usd"] == 0.0002
    assert event.actor is not None
    assert event.actor.id == "u-7"
    assert private == {}


def test_a_key_itself_is_no_id(read: Read) -> None:
    (outcome,) = read(
        named("litellm"),
        b'{"call_type":"completion","startTime":1772600767,"api_key":"sk-example-0000000000000000"}',
    )
    assert not isinstance(outcome.result, Reject)
    assert b"sk-example" not in outcome.result.event.model_dump_json().encode()


@pytest.mark.parametrize(
    ("model", "provider", "known"),
    [
        ("bedrock/converse/eu.vendor.writer-v1:0", "bedrock", "vendor.writer-v1:0"),
        ("invoke/vendor.writer-v1:0", "bedrock", "vendor.writer-v1:0"),
        ("vertex_ai/gemini-2.5-pro", "vertex_ai", "gemini-2.5-pro"),
        ("openai/converse/own", "openai", "converse/own"),
    ],
)
def test_a_model_is_the_same_as_in_the_logs_of_its_cloud(
    read: Read, model: str, provider: str, known: str
) -> None:
    said = (
        f'{{"call_type":"completion","startTime":1772600767,"model":"{model}",'
        f'"custom_llm_provider":"{provider}"}}'
    )
    (outcome,) = read(named("litellm"), said.encode())
    assert not isinstance(outcome.result, Reject)
    assert f"model:{known}" in [one.key for one in outcome.result.event.entities]


def test_a_batch() -> None:
    ids = [event.attributes["gen_ai.response.id"] for event, _ in parsed("litellm.batch.json")]
    assert ids == ["chatcmpl-5", "chatcmpl-6"]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b'{"call_type":"completion"}', "no-time"),
        (b'{"startTime":1772600767}', "wrong-shape"),
        (b'{"call_type":"completion","startTime":"soon"}', "bad-time"),
    ],
)
def test_what_is_rejected(read: Read, document: bytes, reason: str) -> None:
    (outcome,) = read(named("litellm"), document)
    assert isinstance(outcome.result, Reject)
    assert outcome.result.reason == reason


def test_what_a_key_spends_is_seen_by_the_rule_on_cost(read: Read) -> None:
    record = (
        b'{"call_type":"completion","id":"c1","startTime":1772600767,"response_cost":0.25,'
        b'"status":"success","model":"m","messages":[],"metadata":{"user_api_key_hash":"h1"}}'
    )
    (outcome,) = read(named("litellm"), record)
    assert not isinstance(outcome.result, Reject)
    form = normal_form(outcome.result.event, outcome.result.private)
    assert (form["entity.apikey"], form["gen_ai.usage.cost_usd"]) == ("h1", 0.25)


def test_where_a_model_was_called(read: Read) -> None:
    record = {
        "id": "1",
        "call_type": "acompletion",
        "status": "success",
        "custom_llm_provider": "azure",
        "model": "writer",
        "api_base": "https://ExampleAI.openai.azure.com/",
        "endTime": 1772600767.5,
        "metadata": {"user_api_key_user_id": "ada@example.com"},
    }
    (outcome,) = read(named("litellm"), orjson.dumps(record))
    assert isinstance(outcome.result, Parsed)
    event = outcome.result.event
    assert event.attributes["gen_ai.provider.name"] == "azure.ai.openai"
    assert [(one.relation, one.to.key) for one in event.edges] == [
        ("calls", "model:writer"),
        ("calls", "endpoint:azure/exampleai"),
    ]
