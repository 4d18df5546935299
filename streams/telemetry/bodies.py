"""Bodies: what is asked of a model and answered in Amazon Bedrock, whichever family it is of.

Read are Converse, and of InvokeModel the bodies of Anthropic, Amazon (Nova, Titan), Meta, Mistral,
Cohere, AI21, OpenAI and alike; whole, or as the list of events of a stream.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from streams.records.untrusted import listing, mapping, number, text
from streams.source import Json

# Where model families put what is asked and what is answered; else it is the whole body.
_ASKED: Final = ("messages", "prompt", "inputText", "message", "texts", "text_prompts", "images")
_ANSWERED: Final = (
    *("output", "content", "completion", "results", "generation", "outputs", "generations"),
    *("choices", "text", "embedding", "embeddings"),
)
_STOPS: Final = ("stopReason", "stop_reason", "completionReason", "finish_reason", "finishReason")
_LISTS: Final = ("choices", "results", "outputs", "generations")  # the first of them is the answer
_INSIDE: Final = ("messageStop", "metadata", "delta", "message")  # of an event of a stream
_EVENTS: Final = 4096  # events of one streamed answer that are looked at


class Answer(NamedTuple):
    """An answer, whole or streamed, as the objects that say something of it."""

    parts: list[dict[str, Json]]

    def last(self, *keys: str) -> Json:
        """The last value under the first of these keys that any part has."""
        for key in keys:
            for part in reversed(self.parts):
                value = part.get(key)
                if value is not None:
                    return value
        return None

    @property
    def stop(self) -> str | None:
        """Why the model stopped, in its own word."""
        return text(self.last(*_STOPS), 64)

    @property
    def guardrail(self) -> Json:
        """The trace of its guardrail; None where there is none."""
        for name in ("trace", "amazon-bedrock-trace"):
            found = mapping(self.last(name)).get("guardrail")
            if found is not None:
                return found
        return None


def answer(body: Json) -> Answer:
    """What a body, or the events of a stream, say of an answer."""
    parts = [mapping(one) for one in (listing(body) or [body])[:_EVENTS]]
    inside = [part[key] for part in parts for key in _INSIDE if key in part]
    firsts = [one for part in parts for key in _LISTS for one in listing(part.get(key))[:1]]
    return Answer([one for one in map(mapping, (*firsts, *inside, *parts)) if one])


def settings(question: dict[str, Json]) -> dict[str, Json]:
    """How the model was to answer, as attributes."""
    set_ = question | mapping(question.get("inferenceConfig"))
    set_ |= mapping(question.get("textGenerationConfig"))

    def first(*keys: str) -> Json:
        for key in keys:
            one = number(set_.get(key))
            if one is not None:
                return one
        return None

    return {
        "gen_ai.request.max_tokens": first(
            "max_tokens", "maxTokens", "maxTokenCount", "max_gen_len"
        ),
        "gen_ai.request.temperature": first("temperature"),
        "gen_ai.request.top_p": first("top_p", "topP"),
    }


def tokens(asked: dict[str, Json], answered: dict[str, Json], told: Answer) -> dict[str, Json]:
    """What Bedrock counted on either side, or else what the model did."""
    usage = mapping(told.last("usage"))
    metrics = mapping(told.last("amazon-bedrock-invocationMetrics"))

    places = [one for one in (metrics, usage, *told.parts) if one]

    def counted(outside: Json, *keys: str) -> Json:
        known = number(outside)
        if known is not None:
            return known
        for where in places:
            for key in keys:
                known = number(where.get(key))
                if known is not None:
                    return known
        return None

    return {
        "gen_ai.usage.input_tokens": counted(
            asked.get("inputTokenCount"),
            *("inputTokenCount", "inputTokens", "input_tokens", "prompt_tokens"),
            *("prompt_token_count", "inputTextTokenCount"),
        ),
        "gen_ai.usage.output_tokens": counted(
            answered.get("outputTokenCount"),
            *("outputTokenCount", "outputTokens", "output_tokens", "completion_tokens"),
            *("generation_token_count", "tokenCount"),
        ),
        "gen_ai.usage.cache_read.input_tokens": counted(
            asked.get("cacheReadInputTokenCount"),
            *("cacheReadInputTokens", "cache_read_input_tokens"),
        ),
        "gen_ai.usage.cache_write.input_tokens": counted(
            asked.get("cacheWriteInputTokenCount"),
            *("cacheWriteInputTokens", "cache_creation_input_tokens"),
        ),
    }


def content(asked: Json, answered: Json) -> dict[str, Json]:
    """What was said in two bodies, under its present names: none of it may be kept."""
    question = mapping(asked)
    tools = question.get("tools") or mapping(question.get("toolConfig")).get("tools")
    found = {
        "gen_ai.input.messages": _part(asked, _ASKED),
        "gen_ai.output.messages": _part(answered, _ANSWERED),
        "gen_ai.system_instructions": question.get("system"),
        "gen_ai.tool.definitions": tools,
    }
    return {name: value for name, value in found.items() if value not in (None, [], {}, "")}


def _part(body: Json, keys: tuple[str, ...]) -> Json:
    said = mapping(body)
    return next((said[key] for key in keys if said.get(key) is not None), body)
