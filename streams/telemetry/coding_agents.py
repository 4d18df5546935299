"""Coding agents: what Claude Code, Codex and Gemini CLI log, under the names that all others use.

Their OpenTelemetry log records have plain names (`model`, `decision`, `call_id`), which mean this
only where the record is one of theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from schemas.config import Limits
from streams.records.untrusted import decode, mapping, text
from streams.source import Json, Unreadable
from streams.telemetry.semconv import COUNTS, figure

_AGENTS: Final = ("claude_code", "codex", "gemini_cli", "qwen-code")
_TOKENS: Final = ".token.usage"  # the metric that counts tokens; their `type` is input, output, ...
_SERVICES: Final = {
    "claude-code": "claude_code",
    "codex_cli_rs": "codex",
    "codex_exec": "codex",
    "gemini-cli": "gemini_cli",
}
_OPERATIONS: Final = {
    "api_error": "chat",
    "api_request": "chat",
    "api_response": "chat",
    "interaction": "invoke_agent",
    "llm_request": "chat",
    "tool": "execute_tool",
    "tool_call": "execute_tool",
    "tool_result": "execute_tool",
}
_NAMES: Final = {
    "arguments": "gen_ai.tool.call.arguments",
    "cache_creation_tokens": "gen_ai.usage.cache_write.input_tokens",
    "cache_read_tokens": "gen_ai.usage.cache_read.input_tokens",
    "cached_content_token_count": "gen_ai.usage.cache_read.input_tokens",
    "cached_token_count": "gen_ai.usage.cache_read.input_tokens",
    "call_id": "gen_ai.tool.call.id",
    "conversation.id": "gen_ai.conversation.id",
    "cost_usd": "gen_ai.usage.cost_usd",
    "decision": "guardrail.verdict",
    "decision_type": "guardrail.verdict",
    "error_type": "error.type",
    "function_args": "gen_ai.tool.call.arguments",
    "function_name": "gen_ai.tool.name",
    "input_token_count": "gen_ai.usage.input_tokens",
    "input_tokens": "gen_ai.usage.input_tokens",
    "mcp_server_name": "mcp.server.name",
    "model": "gen_ai.request.model",
    "output": "gen_ai.tool.call.result",
    "output_token_count": "gen_ai.usage.output_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "prompt": "gen_ai.input.messages",
    "reasoning_token_count": "gen_ai.usage.reasoning.output_tokens",
    "request_text": "gen_ai.input.messages",
    "response_text": "gen_ai.output.messages",
    "server_name": "mcp.server.name",
    "skill_name": "skill.name",
    "source": "tool.decision.source",
    "decision_source": "tool.decision.source",
    "thoughts_token_count": "gen_ai.usage.reasoning.output_tokens",
    "tool_input": "gen_ai.tool.call.arguments",
    "tool_use_id": "gen_ai.tool.call.id",
}
# A JSON text of Claude Code: what of it names things. The rest is content.
_PARAMETERS: Final = ("mcp_server_name", "mcp_tool_name", "skill_name")
_LIMITS: Final = Limits()


def said(own: Mapping[str, Json], event: Json, service: Json) -> dict[str, Json]:
    """The attributes of a log record or span, under present names if a coding agent wrote it.

    `event` is its name, `service` the service that it comes from.
    """
    name = text(event, 256) or ""
    agent, dot, step = name.partition(".")
    if agent not in _AGENTS or not dot:
        known = _SERVICES.get(text(service, 64) or "")
        if known is None or not name:
            return dict(own)
        agent, step = known, name
    found = {key: value for key, value in own.items() if key not in _NAMES}
    parameters = _parameters(own.get("tool_parameters"))
    tool = parameters.pop("mcp_tool_name", None)
    for key, value in (*own.items(), *parameters.items()):
        name_of = _NAMES.get(key)
        if name_of is not None:
            found.setdefault(name_of, figure(value) if name_of.startswith(COUNTS) else value)
    if tool is not None:
        found["gen_ai.tool.name"] = tool  # it calls all tools of MCP servers `mcp_tool`
    found.setdefault("gen_ai.agent.name", agent)
    found["event.name"] = step
    if step in _OPERATIONS:
        found.setdefault("gen_ai.operation.name", _OPERATIONS[step])
    if step == "api_error":
        found.setdefault("error.type", text(found.get("status_code"), 32) or step)
    if found.get("body") == name:
        del found["body"]  # the name once more
    return found


def counted(own: Mapping[str, Json], metric: str) -> dict[str, Json]:
    """The attributes of a data point, under present names if a coding agent counted."""
    agent, dot, _ = metric.partition(".")
    if agent not in _AGENTS or not dot:
        return dict(own)
    found = {_NAMES.get(name, name): value for name, value in own.items()}
    if metric.endswith(_TOKENS) and "type" in found:
        found["gen_ai.token.type"] = found.pop("type")
    return {"gen_ai.agent.name": agent} | found


def _parameters(value: Json) -> dict[str, Json]:
    if isinstance(value, str):
        try:
            value = decode(value.encode(errors="replace"), _LIMITS)
        except Unreadable:
            return {}
    shown = mapping(value)
    return {name: shown[name] for name in _PARAMETERS if text(shown.get(name))}
