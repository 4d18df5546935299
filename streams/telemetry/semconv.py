"""Semantic conventions: telemetry attributes under their present names, content kept apart.

Present names are those of OpenTelemetry's GenAI and MCP conventions. Older names of theirs, and
those of OpenInference, the Vercel AI SDK, Traceloop and coding agents, are read as the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Literal

from schemas.canonical import canonical
from streams.records.untrusted import LONGEST, plain, secret, text
from streams.source import Json

_CONTENT_LONGEST: Final = 262_144  # characters of a prompt or result that detections see

# Old -> new. Where both are there, the new one speaks.
_NAMES: Final = {
    "agent.id": "gen_ai.agent.id",
    "agent.name": "gen_ai.agent.name",
    "ai.model.id": "gen_ai.request.model",
    "ai.model.provider": "gen_ai.provider.name",
    "ai.prompt": "gen_ai.input.messages",
    "ai.prompt.messages": "gen_ai.input.messages",
    "ai.prompt.tools": "gen_ai.tool.definitions",
    "ai.response.model": "gen_ai.response.model",
    "ai.response.object": "gen_ai.output.messages",
    "ai.response.text": "gen_ai.output.messages",
    "ai.telemetry.metadata.sessionId": "session.id",
    "ai.telemetry.metadata.userId": "user.id",
    "ai.toolCall.args": "gen_ai.tool.call.arguments",
    "ai.toolCall.id": "gen_ai.tool.call.id",
    "ai.toolCall.name": "gen_ai.tool.name",
    "ai.toolCall.result": "gen_ai.tool.call.result",
    "ai.usage.cachedInputTokens": "gen_ai.usage.cache_read.input_tokens",
    "ai.usage.completionTokens": "gen_ai.usage.output_tokens",
    "ai.usage.inputTokens": "gen_ai.usage.input_tokens",
    "ai.usage.outputTokens": "gen_ai.usage.output_tokens",
    "ai.usage.promptTokens": "gen_ai.usage.input_tokens",
    "ai.usage.reasoningTokens": "gen_ai.usage.reasoning.output_tokens",
    "all_messages_events": "gen_ai.input.messages",
    "container.image.tag": "container.image.tags",
    "embedding.model_name": "gen_ai.request.model",
    "gcp.vertex.agent.llm_request": "gen_ai.input.messages",
    "gcp.vertex.agent.llm_response": "gen_ai.output.messages",
    "gcp.vertex.agent.session_id": "gen_ai.conversation.id",
    "gcp.vertex.agent.tool_call_args": "gen_ai.tool.call.arguments",
    "gcp.vertex.agent.tool_response": "gen_ai.tool.call.result",
    "gen_ai.completion": "gen_ai.output.messages",
    "gen_ai.openai.request.seed": "gen_ai.request.seed",
    "gen_ai.prompt": "gen_ai.input.messages",
    "gen_ai.system": "gen_ai.provider.name",
    "gen_ai.usage.cost": "gen_ai.usage.cost_usd",
    "gen_ai.usage.cache_creation.input_tokens": "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.usage.cache_creation_input_tokens": "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.usage.cache_read_input_tokens": "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.completion_tokens": "gen_ai.usage.output_tokens",
    "gen_ai.usage.prompt_tokens": "gen_ai.usage.input_tokens",
    "gen_ai.usage.reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
    "http.method": "http.request.method",
    "http.status_code": "http.response.status_code",
    "http.url": "url.full",
    "http.user_agent": "user_agent.original",
    "llm.cost.total": "gen_ai.usage.cost_usd",
    "llm.model_name": "gen_ai.request.model",
    "llm.provider": "gen_ai.provider.name",
    "llm.system": "gen_ai.provider.name",
    "llm.token_count.completion": "gen_ai.usage.output_tokens",
    "llm.token_count.completion_details.reasoning": "gen_ai.usage.reasoning.output_tokens",
    "llm.token_count.prompt": "gen_ai.usage.input_tokens",
    "llm.token_count.prompt_details.cache_read": "gen_ai.usage.cache_read.input_tokens",
    "llm.token_count.prompt_details.cache_write": "gen_ai.usage.cache_write.input_tokens",
    "mcp.method": "mcp.method.name",
    "mcp.request.argument": "gen_ai.tool.call.arguments",
    "mcp.response.value": "gen_ai.tool.call.result",
    "mcp.tool.name": "gen_ai.tool.name",
    "net.peer.name": "server.address",
    "net.peer.port": "server.port",
    "pydantic_ai.all_messages": "gen_ai.input.messages",
    "tool.description": "gen_ai.tool.description",
    "tool.name": "gen_ai.tool.name",
    "tool_arguments": "gen_ai.tool.call.arguments",
    "tool_call.id": "gen_ai.tool.call.id",
    "tool_name": "gen_ai.tool.name",
    "tool_response": "gen_ai.tool.call.result",
    "traceloop.association.properties.session_id": "session.id",
    "traceloop.association.properties.user_id": "user.id",
    "traceloop.workflow.name": "gen_ai.workflow.name",
}
_PROVIDERS: Final = {
    "amazon_bedrock": "aws.bedrock",
    "anthropic": "anthropic",
    "aws": "aws.bedrock",
    "az.ai.inference": "azure.ai.inference",
    "az.ai.openai": "azure.ai.openai",
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "cohere": "cohere",
    "gcp.vertex.agent": "gcp.vertex_ai",
    "gemini": "gcp.gemini",
    "groq": "groq",
    "mistralai": "mistral_ai",
    "openai": "openai",
    "openai.chat": "openai",
    "openai.responses": "openai",
    "vertex_ai": "gcp.vertex_ai",
    "vertexai": "gcp.vertex_ai",
    "xai": "x_ai",
}
# The kind of a span of Traceloop -> what its name is a name of.
_ENTITIES: Final = {"agent": "gen_ai.agent.name", "tool": "gen_ai.tool.name"}
# How others say gen_ai.operation.name.
_OPERATIONS: Final = {
    "openinference.span.kind": {
        "AGENT": "invoke_agent",
        "EMBEDDING": "embeddings",
        "GUARDRAIL": "apply_guardrail",
        "LLM": "chat",
        "RETRIEVER": "retrieval",
        "TOOL": "execute_tool",
    },
    "langsmith.span.kind": {
        "embedding": "embeddings",
        "llm": "chat",
        "retriever": "retrieval",
        "tool": "execute_tool",
    },
    "llm.request.type": {"chat": "chat", "completion": "text_completion"},
    "traceloop.span.kind": {
        "agent": "invoke_agent",
        "tool": "execute_tool",
        "workflow": "invoke_workflow",
    },
    "ai.operationId": {
        "ai.embed.doEmbed": "embeddings",
        "ai.embedMany.doEmbed": "embeddings",
        "ai.generateObject.doGenerate": "chat",
        "ai.generateText.doGenerate": "chat",
        "ai.streamObject.doStream": "chat",
        "ai.streamText.doStream": "chat",
        "ai.toolCall": "execute_tool",
    },
}
# What people and models said, and what may carry it: the name itself and all below it.
_CONTENT: Final = frozenset(
    """
    agentops.entity.input agentops.entity.output ai.embedding ai.embeddings ai.prompt
    ai.request.headers ai.response.files ai.response.object ai.response.providerMetadata
    ai.response.reasoning ai.response.text ai.response.toolCalls ai.result ai.schema
    ai.settings.context ai.toolCall.args ai.toolCall.result ai.value ai.values arguments body
    braintrust.input braintrust.input_json braintrust.output braintrust.output_json completion
    content crew_agents crew_inputs crew_tasks db.query.parameter db.query.text db.statement
    document embedding events exception.message exception.stacktrace final_result
    gcp.vertex.agent.data gcp.vertex.agent.llm_request gcp.vertex.agent.llm_response
    gcp.vertex.agent.tool_call_args gcp.vertex.agent.tool_response gen_ai.completion gen_ai.content
    gen_ai.evaluation.explanation gen_ai.event.content gen_ai.input.messages gen_ai.memory.query
    gen_ai.memory.records gen_ai.output.messages gen_ai.prompt gen_ai.retrieval.documents
    gen_ai.retrieval.query gen_ai.system_instructions gen_ai.tool.call.arguments
    gen_ai.tool.call.result gen_ai.tool.definitions genkit:input genkit:output
    haystack.component.input haystack.component.output http.request.body http.request.header
    http.response.body http.response.header input langfuse.observation.input
    langfuse.observation.output langfuse.trace.input langfuse.trace.output llm.choices
    llm.function_call llm.input_messages llm.invocation_parameters llm.output_messages
    llm.prompt_template llm.prompts llm.tools lmnr.span.input lmnr.span.output mcp.request.argument
    mcp.response.value message messages messaging.message.body metadata mlflow.spanInputs
    mlflow.spanOutputs model_request_parameters output process.command_args process.command_line
    process.environment_variable prompt pydantic_ai.all_messages request_data reranker response_data
    result retrieval.documents rpc.request.metadata rpc.response.metadata tool.json_schema
    tool.parameters tool_input tool_parameters tool_result traceloop.entity.input
    traceloop.entity.output traceloop.prompt
    """.split()  # noqa: SIM905 - a hundred names read better as a paragraph
)
_CREDENTIAL: Final = re.compile(
    r"(?:^|[._-])(?:access[_-]?token|api[_-]?key|authorization|cookie|credential|passw(?:or)?d"
    r"|private[_-]?key|secret)s?$",
    re.IGNORECASE,
)
# Below a name of content, and none.
_NAMED: Final = frozenset({"gen_ai.prompt.name", "gen_ai.prompt.version"})
COUNTS: Final = "gen_ai.usage."
_DECIMAL: Final = re.compile(r"\d{1,15}(?:\.\d{1,12})?")
_NUMBERED: Final = re.compile(r"\.\d+(?:\.|$)")


def present(attributes: Mapping[str, Json]) -> dict[str, Json]:
    """The attributes under their present names, with the operation that older kinds stand for."""
    found = {name: value for name, value in attributes.items() if name not in _NAMES}
    for name, value in attributes.items():
        if name in _NAMES:
            found.setdefault(_NAMES[name], value)
    path = found.pop("http.target", None)
    if isinstance(path, str) and "url.path" not in found:
        found["url.path"], _, query = path.partition("?")
        found |= {"url.query": query} if query else {}
    if "gen_ai.provider.name" in found:
        found["gen_ai.provider.name"] = provider(found["gen_ai.provider.name"])
    for name, value in found.items():
        if isinstance(value, str) and name.startswith(COUNTS):
            found[name] = figure(value)
    operation = _operation(found, attributes)
    if operation is not None:
        found.setdefault("gen_ai.operation.name", operation)
    kind = found.get("traceloop.span.kind")
    entity = None if kind is None else _ENTITIES.get(text(kind) or "")
    if entity is not None and "traceloop.entity.name" in found:
        found.setdefault(entity, found["traceloop.entity.name"])
    return found


def provider(said: Json) -> Json:
    """The provider under its present name; any other value as it is."""
    return _PROVIDERS.get(said.lower(), said) if isinstance(said, str) else said


def _operation(found: Mapping[str, Json], attributes: Mapping[str, Json]) -> str | None:
    """The operation that older kinds, or those of others, stand for."""
    for name in filter(found.__contains__, _OPERATIONS):
        operation = _OPERATIONS[name].get(text(found[name]) or "")
        if operation is not None:
            return operation
    if "tool_arguments" in attributes or "tool_response" in attributes:  # Pydantic AI
        return "execute_tool"
    # Google's ADK; its tools have this too, but say what they are.
    return "generate_content" if "gcp.vertex.agent.llm_request" in attributes else None


def figure(value: Json) -> Json:
    """The number that an exporter wrote as a text; any other value as it is."""
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        return value
    return float(value) if "." in value else int(value)


def renamed(name: str) -> str | None:
    """The present name of one that older conventions, or those of others, have."""
    return _NAMES.get(name)


def parted(attributes: Mapping[str, Json]) -> tuple[dict[str, Json], dict[str, Json]]:
    """(what may be kept, what only detections may see), both bounded.

    Private are content, long texts and whatever looks like a credential; as texts, so that a
    detection finds the same whether an exporter wrote JSON or a text. Of content, the size in bytes
    is kept as `<name>.size`.
    """
    kept: dict[str, Json] = {}
    private: dict[str, Json] = {}
    for name, value in attributes.items():
        sort = _sort(name)
        if sort == "content" or (isinstance(value, str) and len(value) > LONGEST):
            said = _written(value)
            private[name] = said[:_CONTENT_LONGEST]
            if not _NUMBERED.search(name):
                kept[f"{name}.size"] = len(said.encode())
        elif sort == "credential" or _credential(value):
            private[name] = plain(value)
        elif (bounded := plain(value)) is not None:
            kept[name] = bounded
    return kept, private


@lru_cache(maxsize=4096)  # a telemetry has its few dozen names
def _sort(name: str) -> Literal["content", "credential", "plain"]:
    at = 0 if name in _NAMED else len(name)
    while at > 0:
        if name[:at] in _CONTENT:
            return "content"
        at = name.rfind(".", 0, at)
    return "credential" if _CREDENTIAL.search(name) else "plain"


def _credential(value: Json) -> bool:
    if isinstance(value, str):
        return secret(value)
    return not isinstance(value, int | float) and secret(_written(value))


def _written(value: Json) -> str:
    return value if isinstance(value, str) else canonical(value).decode()
