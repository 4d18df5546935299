"""API Management: the call of a model that went through it, by its addresses and bodies.

A gateway of Azure logs where it sent a request, and, if it is told to, the beginning of the bodies.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import SplitResult, urlsplit

from schemas.entity import Entity
from streams.names import azure
from streams.records.untrusted import distinct, listing, mapping, number, text
from streams.source import Json
from streams.telemetry import guardrails
from streams.telemetry.verdicts import verdicts

_PROVIDERS: Final = {"api.anthropic.com": "anthropic", "api.openai.com": "openai"}
_DEPLOYMENT: Final = re.compile(r"/deployments/([^/]{1,128})/")
_OPERATIONS: Final = (
    ("/chat/completions", "chat"),
    ("/messages", "chat"),
    ("/responses", "chat"),
    ("/completions", "text_completion"),
    ("/embeddings", "embeddings"),
    ("/images/generations", "generate_content"),
)


class Through(NamedTuple):
    """A call of a model: what was called, the deployment first, and what is known of the call."""

    operation: str
    provider: str | None
    things: tuple[Entity, ...]
    model: Entity | None
    attributes: dict[str, Json]
    content: dict[str, Json]


def through(told: Mapping[str, Json]) -> Through | None:
    """What the properties of a gateway's log, by small letters, say of a model's call; else None.

    The answer's model is what was called; the one that is asked for is a deployment's name.
    """
    where = _parts(told.get("backendurl")) or _parts(told.get("url"))
    if where is None:
        return None
    operation = next((ours for end, ours in _OPERATIONS if where.path.endswith(end)), None)
    if operation is None:
        return None
    asked = azure.opened(told.get("backendrequestbody") or told.get("requestbody"))
    answered = azure.opened(told.get("backendresponsebody") or told.get("responsebody"))
    used = mapping(answered.get("usage"))
    model = azure.model(answered.get("model"))
    found: dict[str, Json] = {
        "gen_ai.request.model": model and model.id,
        "gen_ai.response.id": text(answered.get("id"), 128),
        "gen_ai.usage.input_tokens": number(used.get("prompt_tokens", used.get("input_tokens"))),
        "gen_ai.usage.output_tokens": number(
            used.get("completion_tokens", used.get("output_tokens"))
        ),
        "server.address": text(where.hostname, 256),
        **verdicts(*(guardrails.azure(answered) or ())),
    }
    content = {
        "gen_ai.input.messages": asked.get("messages") or asked.get("input") or asked.get("prompt"),
        "gen_ai.output.messages": answered.get("output")
        or [mapping(one).get("message") for one in listing(answered.get("choices"))],
    }
    things = _things(where, asked)
    host = (where.hostname or "").lower()
    return Through(
        operation,
        "azure.ai.openai" if things else _PROVIDERS.get(host),
        things,
        model,
        {key: value for key, value in found.items() if value is not None},
        {key: value for key, value in content.items() if value},
    )


def _things(where: SplitResult, asked: Mapping[str, Json]) -> tuple[Entity, ...]:
    """The deployment and its account; in newer paths the model that is asked for names it."""
    account = azure.served(where.hostname)
    named = _DEPLOYMENT.search(where.path)
    inside = azure.deployed(account, named[1] if named else asked.get("model"))
    return distinct((inside, account))


def _parts(address: Json) -> SplitResult | None:
    try:
        found = urlsplit(text(address, 2048) or "")
    except ValueError:
        return None
    return found if found.hostname else None
