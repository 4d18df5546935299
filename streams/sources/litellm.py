"""LiteLLM: who called which model through the proxy, what it cost, what the guardrails said.

Read are StandardLoggingPayload records, alone, in a list (generic callback, webhook, S3, Kafka), or
under `standard_logging_object`; and rows of the spend logs, whose inner values are JSON texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from schemas.canonical import digest
from schemas.detection import Logsource
from schemas.event import EventEvidence, Status
from schemas.times import HOUR
from streams.names import azure, mcp
from streams.records.clocks import clock
from streams.records.envelope import records
from streams.records.untrusted import entity, listing, mapping, number, opened, secret, text
from streams.source import Json, Narrow, Parsed, Raw, Unreadable
from streams.telemetry import guardrails, runtime
from streams.telemetry.runtime import Told
from streams.telemetry.verdicts import verdicts

NAME: Final = "litellm"
TITLE: Final = "LiteLLM proxy"
LOGSOURCE: Final = Logsource(product="litellm")
LATENESS: Final = HOUR  # payloads are written in batches, to S3 by the minute and later
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset({"api_activity"})
ATTRIBUTES: Final = frozenset(
    """
    error.code error.type gen_ai.agent.id gen_ai.conversation.id gen_ai.input.messages
    gen_ai.input.messages.size gen_ai.operation.name gen_ai.output.messages
    gen_ai.output.messages.size gen_ai.provider.name gen_ai.request.model
    gen_ai.response.finish_reasons gen_ai.response.id gen_ai.tool.call.arguments
    gen_ai.tool.call.arguments.size gen_ai.tool.name gen_ai.usage.cost_usd
    gen_ai.usage.input_tokens gen_ai.usage.output_tokens guardrail.category guardrail.name
    guardrail.score guardrail.status guardrail.verdict litellm.cache_hit litellm.call_type
    litellm.end_user litellm.key.alias litellm.model.group litellm.organization litellm.tags
    litellm.team litellm.team.alias mcp.method.name mcp.server.name user.email user.id
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
VERSIONS: Final = "StandardLoggingPayload and spend logs as of LiteLLM 1.40 to 1.80"
GAPS: Final = (
    "Times without a zone are taken for UTC; a proxy that runs in another zone writes its own.",
    "Traces of LiteLLM's OpenTelemetry callback are read by `otel`, not here.",
)

_OPERATIONS: Final = {
    "completion": "chat",
    "acompletion": "chat",
    "anthropic_messages": "chat",
    "responses": "chat",
    "aresponses": "chat",
    "text_completion": "text_completion",
    "atext_completion": "text_completion",
    "embedding": "embeddings",
    "aembedding": "embeddings",
    "call_mcp_tool": "execute_tool",
    "vector_store_search": "retrieval",
    "avector_store_search": "retrieval",
}
_STATUS: Final[dict[str, Status]] = {"success": "success", "failure": "failure"}
# The word of a guardrail. `failure` was a refusal first (then the call failed too), later an
# error of the guardrail itself.
_DECIDED: Final = {"success": "allow", "guardrail_intervened": "deny", "blocked": "deny"}
_ROUTES: Final = re.compile(r"(?:converse_like|converse|invoke)/")


def sniff(head: bytes) -> bool:
    """`call_type` beside what LiteLLM alone calls so; the provider is new in 2025."""
    own = (b'"custom_llm_provider"', b'"completionStartTime"', b'"model_map_information"')
    return b'"call_type"' in head and any(key in head for key in own)


def split(document: bytes) -> Iterator[Raw]:
    """The payloads of a document."""
    return records(document, "data", "logs")


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:  # noqa: ARG001 - the protocol
    """One call, and what the proxy knows of who made it."""
    said = mapping(record)
    said = mapping(said.get("standard_logging_object")) or said
    call = text(said.get("call_type"), 64)
    if call is None:
        raise Unreadable("wrong-shape", "a payload of LiteLLM has call_type")
    who = _object(said.get("metadata"))
    status = _STATUS.get(text(said.get("status"), 32) or "", "unknown")
    when = clock(said.get("endTime"), said.get("startTime"))
    known = text(said.get("id"), 128) or text(said.get("request_id"), 128)
    tool = mapping(who.get("mcp_tool_call_metadata"))
    given = {
        "gen_ai.operation.name": _OPERATIONS.get(call),
        "gen_ai.provider.name": said.get("custom_llm_provider") or None,
        "gen_ai.request.model": None if tool else _model(said),
        "gen_ai.response.id": known,
        "gen_ai.response.finish_reasons": _reasons(said),
        "gen_ai.usage.input_tokens": said.get("prompt_tokens"),
        "gen_ai.usage.output_tokens": said.get("completion_tokens"),
        "gen_ai.conversation.id": said.get("session_id") or said.get("trace_id"),
        "gen_ai.agent.id": said.get("agent_id"),
        "gen_ai.input.messages": _content(said.get("messages")),
        "gen_ai.output.messages": _content(said.get("response")),
        "gen_ai.tool.name": tool.get("name"),
        "gen_ai.tool.call.arguments": tool.get("arguments"),
        "mcp.method.name": "tools/call" if tool else None,
        "mcp.server.name": tool.get("mcp_server_name"),
        "user.email": who.get("user_api_key_user_email"),
        "user.id": who.get("user_api_key_user_id") or said.get("user") or None,
        "litellm.cache_hit": _flag(said.get("cache_hit")),
        "litellm.call_type": call,
        "gen_ai.usage.cost_usd": number(said.get("response_cost", said.get("spend"))),
        "litellm.end_user": said.get("end_user") or who.get("user_api_key_end_user_id"),
        "litellm.key.alias": who.get("user_api_key_alias"),
        "litellm.model.group": said.get("model_group") or None,
        "litellm.organization": who.get("user_api_key_org_id"),
        "litellm.tags": _list(said.get("request_tags")) or None,
        "litellm.team": who.get("user_api_key_team_id") or said.get("team_id") or None,
        "litellm.team.alias": who.get("user_api_key_team_alias"),
        "error.code": mapping(said.get("error_information")).get("error_code"),
        "error.type": mapping(said.get("error_information")).get("error_class"),
    }
    guards = [mapping(one) for one in _guards(said, who)]
    named = [one for one in (text(row.get("guardrail_name"), 256) for row in guards) if one]
    given["guardrail.name"] = named or None
    given["guardrail.status"] = [row.get("guardrail_status") for row in guards] or None
    scores = [one for row in guards if (one := number(row.get("risk_score"))) is not None]
    given["guardrail.score"] = max(scores, default=None)
    given |= verdicts(*(one for row in guards for one in _decided(row, status)))
    server = mcp.server(
        url=tool.get("mcp_server_resource"), title=tool.get("mcp_server_name") if tool else None
    )
    key = text(who.get("user_api_key_hash") or who.get("user_api_key") or said.get("api_key"))
    address = said.get("requester_ip_address") or who.get("requester_ip_address")
    return runtime.runtime(
        Told(
            source=NAME,
            uid=digest(NAME, known, call, when) if known else evidence.sha256,
            time=when,
            activity=_OPERATIONS.get(call, call),
            said=given,
            status=status,
            others={
                # A hash. A key itself has come in this place: it is no id, and is not kept.
                "apikey": entity("apikey", key, who.get("user_api_key_alias"))
                if key and not secret(key)
                else None,
                "endpoint": azure.served(_host(said)),
                "guardrail": entity("guardrail", named[0] if named else None),
                "mcp_server": server,
            },
            client=runtime.client(address, who.get("user_agent")),
        ),
        evidence,
    )


def _guards(said: dict[str, Json], who: dict[str, Json]) -> list[Json]:
    """One object in old versions, a list in new ones; in the spend logs in the metadata."""
    found = said.get("guardrail_information") or who.get("guardrail_information")
    return listing(found) or ([found] if isinstance(found, dict) else [])


def _decided(row: dict[str, Json], status: Status) -> Iterator[tuple[Json, ...]]:
    """What a guardrail decided: by its own answer where it is kept, else by LiteLLM's word."""
    answers = row.get("guardrail_response")
    for one in listing(answers) or [answers]:
        found = guardrails.answer(_object(one))
        yield from found[1] if found else ()
    word = text(row.get("guardrail_status"), 64) or ""
    decided = _DECIDED.get(word)
    if word == "failure" and status == "failure":
        decided = "deny"
    if decided == "allow" and any(map(number, mapping(row.get("masked_entity_count")).values())):
        yield "masked", "pii"
    elif decided is not None:
        kinds = listing(row.get("violation_categories"))
        named = [guardrails.looked_for(row.get("guardrail_name"))] if decided == "deny" else []
        yield decided, *(kinds or named)


def _model(said: dict[str, Json]) -> Json:
    """The model without the prefixes that route to its provider, and to an API of Bedrock."""
    model, provider = text(said.get("model"), 512), text(said.get("custom_llm_provider"), 64)
    if not model or not provider:
        return model
    plain = model.removeprefix(f"{provider}/")
    return _ROUTES.sub("", plain) if provider.startswith("bedrock") else plain


def _host(said: dict[str, Json]) -> str | None:
    """Where the model was called."""
    try:
        return urlsplit(text(said.get("api_base"), 1024) or "").hostname
    except ValueError:
        return None


def _reasons(said: dict[str, Json]) -> list[Json] | None:
    choices = listing(_object(said.get("response")).get("choices"))
    found = [one for one in (mapping(row).get("finish_reason") for row in choices) if one]
    return found or None


def _object(value: Json) -> dict[str, Json]:
    return mapping(opened(value))


def _content(value: Json) -> Json:
    return None if value in (None, "", "{}", "[]") else value


def _flag(value: Json) -> bool | None:
    """A boolean, also as the text that the spend logs have."""
    return {"true": True, "false": False}.get(str(value).lower())


def _list(value: Json) -> list[Json]:
    return listing(opened(value))
