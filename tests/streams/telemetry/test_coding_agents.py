"""Log records of coding agents, as OTLP carries them."""

from typing import Any

import orjson

from schemas.config import Limits
from schemas.event import Reject
from streams.reading import Reader
from streams.source import Parsed, named


def read(service: str, body: str, **attributes: str) -> Parsed:
    pairs = [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()]
    record: dict[str, Any] = {"timeUnixNano": "1772600767000000000", "attributes": pairs}
    record["body"] = {"stringValue": body}
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    document = {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": [record]}]}]}
    (outcome,) = Reader(named("otel"), "file:x", Limits()).read(orjson.dumps(document), 0)
    assert not isinstance(outcome.result, Reject)
    return outcome.result


def test_claude_code_rejects_a_tool() -> None:
    event, _ = read(
        "claude-code",
        "claude_code.tool_decision",
        **{"event.name": "tool_decision", "session.id": "s-1", "user.email": "Ada@Example.com"},
        tool_name="Bash",
        decision="reject",
        source="user_reject",
    )
    assert event.activity == "tool_decision"
    assert event.attributes["guardrail.verdict"] == "deny"
    assert event.attributes["tool.decision.source"] == "user_reject"
    assert [one.key for one in event.entities] == [
        "tool:claude_code/Bash",
        "agent:claude_code",
        "session:s-1",
        "principal:ada@example.com",
        "application:claude-code",
    ]


def test_claude_code_calls_a_tool_of_an_mcp_server() -> None:
    event, private = read(
        "claude-code",
        "claude_code.tool_result",
        **{"event.name": "tool_result"},
        tool_name="mcp_tool",
        success="false",
        tool_parameters='{"mcp_server_name":"pages","mcp_tool_name":"read","bash_command":"x"}',
        tool_input='{"url":"do-not-store"}',
    )
    assert (event.activity, event.status) == ("execute_tool", "failure")
    assert event.entities[0].key == "tool:pages/read"
    assert [(one.relation, one.to.key) for one in event.edges] == [
        ("runs", "agent:claude_code"),
        ("uses", "tool:pages/read"),
        ("served_by", "mcp_server:pages"),
    ]
    assert private["gen_ai.tool.call.arguments"] == '{"url":"do-not-store"}'
    assert "do-not-store" not in event.model_dump_json()


def test_a_skill_and_a_prompt() -> None:
    event, _ = read(
        "claude-code",
        "claude_code.skill_activated",
        **{"event.name": "skill_activated", "skill.name": "pdf-reader"},
    )
    assert ("uses", "skill:pdf-reader") in [(one.relation, one.to.key) for one in event.edges]
    event, private = read(
        "claude-code", "claude_code.user_prompt", **{"event.name": "user_prompt"}, prompt="hello"
    )
    assert event.activity == "user_prompt"
    assert private["gen_ai.input.messages"] == "hello"


def test_codex() -> None:
    event, private = read(
        "codex_cli_rs",
        "codex.tool_decision",
        **{"event.name": "codex.tool_decision", "conversation.id": "c-1"},
        model="gpt-5",
        tool_name="shell",
        call_id="k-1",
        decision="approved_for_session",
    )
    assert event.attributes["guardrail.verdict"] == "allow"
    assert event.attributes["gen_ai.tool.call.id"] == "k-1"
    assert {"session:c-1", "model:gpt-5", "agent:codex"} <= {one.key for one in event.entities}
    assert private == {}


def test_gemini_cli() -> None:
    event, _ = read(
        "gemini-cli",
        "Tool call: run_shell_command. Decision: accept. Success: true.",
        **{"event.name": "gemini_cli.tool_call", "session.id": "s-2"},
        function_name="run_shell_command",
        function_args="do-not-store",
        decision="auto_accept",
        success="true",
    )
    assert (event.activity, event.status) == ("execute_tool", "success")
    assert event.entities[0].key == "tool:gemini_cli/run_shell_command"
    assert event.attributes["guardrail.verdict"] == "allow"


def test_a_model_of_something_else_stays_what_it_is() -> None:
    event, _ = read("garage", "a car", **{"event.name": "sold"}, model="estate")
    assert event.attributes["model"] == "estate"
    assert [one.key for one in event.entities] == ["application:garage"]


def test_an_error_of_the_api_is_a_failure() -> None:
    event, _ = read(
        "claude-code",
        "claude_code.api_error",
        **{"event.name": "api_error"},
        model="writer",
        status_code="529",
    )
    assert (event.activity, event.status) == ("chat", "failure")
    assert event.attributes["error.type"] == "529"


def test_tokens_that_are_texts_are_numbers() -> None:
    event, _ = read(
        "claude-code",
        "claude_code.api_request",
        **{"event.name": "api_request"},
        input_tokens="12",
        cost_usd="0.5",
    )
    assert event.attributes["gen_ai.usage.input_tokens"] == 12
    assert event.attributes["gen_ai.usage.cost_usd"] == 0.5
