"""Messages: what was said, where conventions before the present ones put it.

These are events of their own (`gen_ai.user.message`, `gen_ai.choice`), events of a span
(`gen_ai.content.prompt`), numbered attributes (`gen_ai.prompt.0.content`,
`llm.input_messages.0.message.content`), and one input and output for whatever a span does
(`input.value`, `traceloop.entity.input`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from streams.records.untrusted import listing, mapping, opened, text
from streams.source import Json

INPUT: Final = "gen_ai.input.messages"
OUTPUT: Final = "gen_ai.output.messages"
_ARGUMENTS: Final = "gen_ai.tool.call.arguments"
_RESULT: Final = "gen_ai.tool.call.result"
_DOCUMENTS: Final = "gen_ai.retrieval.documents"
_SYSTEM: Final = "gen_ai.system_instructions"
_CONTENT: Final = (
    *(INPUT, OUTPUT, _SYSTEM, _ARGUMENTS, _RESULT, _DOCUMENTS),
    *("gen_ai.tool.definitions", "gen_ai.evaluation.explanation"),
)
# An event -> where what it says belongs, and who said it.
_EVENTS: Final = {
    "gen_ai.assistant.message": (INPUT, "assistant"),
    "gen_ai.choice": (OUTPUT, "assistant"),
    "gen_ai.system.message": (_SYSTEM, "system"),
    "gen_ai.tool.message": (INPUT, "tool"),
    "gen_ai.user.message": (INPUT, "user"),
}
_NUMBERED: Final = re.compile(
    r"(gen_ai\.prompt|gen_ai\.completion|llm\.input_messages|llm\.output_messages"
    r"|retrieval\.documents)\.(\d{1,4})\.(?:message\.|document\.)?(.+)"
)
_LISTS: Final = {
    "gen_ai.completion": OUTPUT,
    "gen_ai.prompt": INPUT,
    "llm.input_messages": INPUT,
    "llm.output_messages": OUTPUT,
    "retrieval.documents": _DOCUMENTS,
}
# Of a span that runs a tool (Strands): what it was given, and what it brought.
_OF_TOOL: Final = {"gen_ai.choice": _RESULT, "gen_ai.tool.message": _ARGUMENTS}
_BEGINNINGS: Final = tuple(f"{name}." for name in _LISTS)
# What goes into a span and comes out of it, whatever it does.
_ENDS: Final = (
    ("input.value", "output.value"),
    ("traceloop.entity.input", "traceloop.entity.output"),
    ("langfuse.observation.input", "langfuse.observation.output"),
    ("mlflow.spanInputs", "mlflow.spanOutputs"),
    ("genkit:input", "genkit:output"),
)
# Where that belongs, by what the span does; else it is what a model is given and says.
_SIDES: Final = {
    "execute_tool": (_ARGUMENTS, _RESULT),
    "retrieval": ("gen_ai.retrieval.query.text", _DOCUMENTS),
}

Happened = Sequence[tuple[Json, Mapping[str, Json]]]


def gathered(own: Mapping[str, Json], event: Json, happened: Happened) -> dict[str, Json]:
    """The attributes of a record, with what was said under its present names.

    `event` is the name of a log record; `happened` are names and attributes of the events of a
    span. What a present name says already stays as it is.
    """
    found = _sided(_unnumbered(own))
    said: dict[str, list[Json]] = {}
    told = _EVENTS.get(text(event, 64) or "")
    if told is not None and isinstance(found.get("body"), dict):
        body = found.pop("body")
        said[told[0]] = [_message(body, told[1])]
        reason = text(mapping(body).get("finish_reason"), 64)
        if reason is not None:
            found.setdefault("gen_ai.response.finish_reasons", [reason])
    places = _OF_TOOL if found.get("gen_ai.operation.name") == "execute_tool" else {}
    for name, attributes in happened:
        for place, several in _said(name, attributes, places):
            said.setdefault(place, []).extend(several)
    for place, several in said.items():
        found.setdefault(place, several)
    return found


def _said(
    event: Json, attributes: Mapping[str, Json], places: Mapping[str, str]
) -> Iterator[tuple[str, list[Json]]]:
    """What one event of a span says, by the present name of the place where it belongs.

    `places` are those of the events that belong elsewhere in a span of this kind.
    """
    name = text(event, 64) or ""
    known = _EVENTS.get(name)
    if known is not None:
        yield (
            places.get(name, known[0]),
            [_message(attributes.get("gen_ai.event.content") or attributes, known[1])],
        )
    for place in _CONTENT:
        if attributes.get(place) is not None:
            one = _decoded(attributes[place])
            yield place, listing(one) or [one]


def _sided(found: dict[str, Json]) -> dict[str, Json]:
    """The attributes, with what goes in and comes out where the operation has it."""
    operation = text(found.get("gen_ai.operation.name"), 64) or ""
    for ends in _ENDS:
        for name, place in zip(ends, _SIDES.get(operation, (INPUT, OUTPUT)), strict=True):
            if name in found:
                found.setdefault(place, found.pop(name))
    return found


def _message(said: Json, role: str) -> Json:
    """A message of that role, unless it says another."""
    shown = _decoded(said)
    if not isinstance(shown, Mapping):
        return {"role": role, "content": shown}
    inner = mapping(mapping(shown).get("message"))  # of a choice
    return {"role": role} | (inner or mapping(shown))


def _unnumbered(own: Mapping[str, Json]) -> dict[str, Json]:
    """Numbered attributes as the list that they are."""
    found: dict[str, Json] = {}
    lists: dict[str, dict[int, dict[str, Json]]] = {}
    for name, value in own.items():
        numbered = _NUMBERED.fullmatch(name) if name.startswith(_BEGINNINGS) else None
        if numbered is None:
            found[name] = value
        else:
            beginning, number, rest = numbered.groups()
            place = lists.setdefault(_LISTS[beginning], {})
            place.setdefault(int(number), {})[rest] = value
    for name, messages in lists.items():
        found.setdefault(name, [messages[number] for number in sorted(messages)])
    return found


def _decoded(value: Json) -> Json:
    """What a JSON text holds; else the value itself."""
    inside = opened(value)
    return value if inside is None else inside
