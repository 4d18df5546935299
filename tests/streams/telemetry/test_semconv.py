from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.records.untrusted import LONGEST
from streams.telemetry.semconv import parted, present


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"gen_ai.system": "xai"}, {"gen_ai.provider.name": "x_ai"}),
        ({"gen_ai.system": "a", "gen_ai.provider.name": "b"}, {"gen_ai.provider.name": "b"}),
        ({"llm.model_name": "m"}, {"gen_ai.request.model": "m"}),
        ({"http.target": "/a?b=c"}, {"url.path": "/a", "url.query": "b=c"}),
        ({"http.target": "/a", "url.path": "/b"}, {"url.path": "/b"}),
        (
            {"openinference.span.kind": "TOOL", "tool.name": "t"},
            {
                "openinference.span.kind": "TOOL",
                "gen_ai.tool.name": "t",
                "gen_ai.operation.name": "execute_tool",
            },
        ),
        (
            {"ai.operationId": "ai.toolCall", "gen_ai.operation.name": "chat"},
            {"ai.operationId": "ai.toolCall", "gen_ai.operation.name": "chat"},
        ),
        ({"openinference.span.kind": ["TOOL"]}, {"openinference.span.kind": ["TOOL"]}),
        ({"anything": 1}, {"anything": 1}),
        ({"gen_ai.system": "OpenAI"}, {"gen_ai.provider.name": "openai"}),
        ({"llm.provider": "azure"}, {"gen_ai.provider.name": "azure.ai.openai"}),
        ({"gen_ai.system": "AWS"}, {"gen_ai.provider.name": "aws.bedrock"}),
        (
            {"tool_arguments": "{}", "gen_ai.tool.name": "t"},
            {
                "gen_ai.tool.name": "t",
                "gen_ai.tool.call.arguments": "{}",
                "gen_ai.operation.name": "execute_tool",
            },
        ),
        (
            {"gcp.vertex.agent.llm_request": "{}", "gcp.vertex.agent.session_id": "s"},
            {
                "gen_ai.input.messages": "{}",
                "gen_ai.conversation.id": "s",
                "gen_ai.operation.name": "generate_content",
            },
        ),
        (
            {"gen_ai.usage.cache_creation.input_tokens": 5},
            {"gen_ai.usage.cache_write.input_tokens": 5},
        ),
        ({"ai.usage.inputTokens": "3"}, {"gen_ai.usage.input_tokens": 3}),
        ({"gen_ai.usage.cost_usd": "0.01"}, {"gen_ai.usage.cost_usd": 0.01}),
        ({"gen_ai.usage.input_tokens": "many"}, {"gen_ai.usage.input_tokens": "many"}),
        (
            {"traceloop.span.kind": "tool", "traceloop.entity.name": "t"},
            {
                "traceloop.span.kind": "tool",
                "traceloop.entity.name": "t",
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": "t",
            },
        ),
        (
            {"langsmith.span.kind": "retriever"},
            {"langsmith.span.kind": "retriever", "gen_ai.operation.name": "retrieval"},
        ),
    ],
)
def test_old_names_become_present_ones(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert present(old) == new


@pytest.mark.parametrize(
    ("name", "value", "said", "size"),
    [
        ("gen_ai.input.messages", [{"role": "user"}], '[{"role":"user"}]', 17),
        ("gen_ai.input.messages", "é", "é", 2),
        ("gen_ai.tool.call.result", {"b": 1, "a": 2}, '{"a":2,"b":1}', 13),
        ("input.value", "x", "x", 1),
        ("gen_ai.prompt.variable.name", "Ada", "Ada", 3),
        ("db.query.text", "select 1", "select 1", 8),
        ("anything.long", "x" * (LONGEST + 1), "x" * (LONGEST + 1), LONGEST + 1),
    ],
)
def test_content_is_private_and_its_size_is_not(
    name: str, value: object, said: str, size: int
) -> None:
    assert parted({name: value}) == ({f"{name}.size": size}, {name: said})


def test_content_in_many_pieces_has_no_sizes() -> None:
    found = {"llm.input_messages.0.message.content": "x", "embedding.embeddings.17": "y"}
    assert parted(found) == ({}, found)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x.api_key", "obviously-fake"),
        ("http.request.header.cookie", ["a=b"]),
        ("url.full", "https://x.example/?token=obviously-fake"),
        ("headers", {"authorization": "Bearer obviously-fake-token"}),
    ],
)
def test_credentials_are_private(name: str, value: object) -> None:
    kept, private = parted({name: value})
    assert "obviously-fake" not in str(kept)
    assert name in private


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gen_ai.usage.input_tokens", 7),
        ("gen_ai.tool.name", "send_report"),
        ("inputs.count", 1),
        ("url.path", "/api/jobs"),
        ("mcp.session.id", "s-1"),
        ("gen_ai.prompt.name", "triage"),
        ("gen_ai.prompt.version", "1.2"),
    ],
)
def test_the_rest_is_kept(name: str, value: object) -> None:
    assert parted({name: value}) == ({name: value}, {})


@given(
    st.dictionaries(
        st.sampled_from(["gen_ai.prompt", "http.target", "tool.name", "x", "output", "x.secret"]),
        st.recursive(
            st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        ),
    )
)
def test_every_value_goes_somewhere_or_says_nothing(attributes: dict[str, Any]) -> None:
    kept, private = parted(present(attributes))
    assert not kept.keys() & private.keys()


@pytest.mark.parametrize(
    "name",
    [
        *("all_messages_events", "final_result", "tool_arguments", "tool_response"),
        *("gcp.vertex.agent.llm_request", "gcp.vertex.agent.llm_response"),
        *("gcp.vertex.agent.tool_call_args", "gcp.vertex.agent.tool_response"),
        *("genkit:input", "langfuse.observation.input", "lmnr.span.output", "mlflow.spanOutputs"),
        *(
            "events",
            "model_request_parameters",
            "braintrust.input_json",
            "crew_tasks",
            "mcp.request.argument",
            "mcp.response.value",
        ),
    ],
)
def test_what_frameworks_put_content_into_is_not_kept(name: str) -> None:
    kept, private = parted(present({name: "do-not-store"}))
    assert "do-not-store" not in str(kept)
    assert "do-not-store" in str(private)
