"""What was said is under its present name, wherever older conventions put it."""

from typing import Any

import pytest

from streams.telemetry.messages import gathered

HELLO = {"role": "user", "content": "hello"}


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (
            {
                "llm.input_messages.0.message.role": "user",
                "llm.input_messages.0.message.content": "hello",
                "input.value": "hello",
                "openinference.span.kind": "LLM",
            },
            {"openinference.span.kind": "LLM", "gen_ai.input.messages": [HELLO]},
        ),
        (
            {
                "gen_ai.completion.10.content": "b",
                "gen_ai.completion.9.content": "a",
                "gen_ai.prompt.0.role": "user",
                "gen_ai.prompt.0.content": "hello",
            },
            {
                "gen_ai.output.messages": [{"content": "a"}, {"content": "b"}],
                "gen_ai.input.messages": [HELLO],
            },
        ),
        (
            {"retrieval.documents.0.document.content": "x"},
            {"gen_ai.retrieval.documents": [{"content": "x"}]},
        ),
        (
            {"gen_ai.operation.name": "execute_tool", "input.value": "{}", "output.value": "ok"},
            {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.call.arguments": "{}",
                "gen_ai.tool.call.result": "ok",
            },
        ),
        (
            {"traceloop.entity.input": "a", "traceloop.entity.output": "b"},
            {"gen_ai.input.messages": "a", "gen_ai.output.messages": "b"},
        ),
        (
            {"gen_ai.prompt.name": "triage", "x.0.y": 1},
            {"gen_ai.prompt.name": "triage", "x.0.y": 1},
        ),
    ],
)
def test_attributes(own: dict[str, Any], expected: dict[str, Any]) -> None:
    assert gathered(own, None, ()) == expected


@pytest.mark.parametrize(
    ("event", "body", "expected"),
    [
        (
            "gen_ai.user.message",
            {"content": "hello"},
            {"gen_ai.input.messages": [HELLO]},
        ),
        (
            "gen_ai.choice",
            {"index": 0, "finish_reason": "stop", "message": {"content": "x"}},
            {
                "gen_ai.output.messages": [{"role": "assistant", "content": "x"}],
                "gen_ai.response.finish_reasons": ["stop"],
            },
        ),
        ("gen_ai.choice", "a text", {"body": "a text"}),
        ("another", {"content": "x"}, {"body": {"content": "x"}}),
        (["gen_ai.choice"], {"content": "x"}, {"body": {"content": "x"}}),
    ],
)
def test_a_log_record(event: Any, body: Any, expected: dict[str, Any]) -> None:  # noqa: ANN401
    assert gathered({"body": body}, event, ()) == expected


def test_events_of_a_span() -> None:
    happened: list[tuple[Any, dict[str, Any]]] = [
        ("gen_ai.content.prompt", {"gen_ai.input.messages": '[{"role":"user","content":"hello"}]'}),
        ("gen_ai.user.message", {"gen_ai.event.content": '{"content":"again"}'}),
        ("gen_ai.choice", {"content": "x", "index": 0}),
        ("exception", {"exception.type": "E"}),
    ]
    assert gathered({}, None, happened) == {
        "gen_ai.input.messages": [HELLO, {"role": "user", "content": "again"}],
        "gen_ai.output.messages": [{"role": "assistant", "content": "x", "index": 0}],
    }


def test_what_a_present_name_says_stays() -> None:
    own = {"gen_ai.input.messages": "now", "input.value": "then"}
    assert gathered(own, None, [("gen_ai.user.message", {"content": "x"})]) == {
        "gen_ai.input.messages": "now"
    }


def test_events_of_a_span_that_runs_a_tool_are_what_it_was_given_and_brought() -> None:
    happened: list[tuple[Any, dict[str, Any]]] = [
        ("gen_ai.tool.message", {"role": "tool", "content": "given"}),
        ("gen_ai.choice", {"message": "brought"}),
    ]
    assert gathered({"gen_ai.operation.name": "execute_tool"}, None, happened) == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.call.arguments": [{"role": "tool", "content": "given"}],
        "gen_ai.tool.call.result": [{"role": "assistant", "message": "brought"}],
    }
