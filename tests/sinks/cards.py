"""What Teams takes as an Adaptive Card 1.4, as far as we use it; all else is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

SPACING = {"none", "small", "default", "medium", "large", "extraLarge", "padding"}
COLOURS = {"default", "dark", "light", "accent", "good", "warning", "attention"}
FIELDS: dict[str, dict[str, Any]] = {
    "AdaptiveCard": {
        "$schema": str,
        "version": {"1.4"},
        "fallbackText": str,
        "msteams": {"width"},
        "body": list,
        "actions": list,
    },
    "RichTextBlock": {"inlines": list, "spacing": SPACING},
    "TextRun": {
        "text": str,
        "size": {"small", "default", "medium", "large", "extraLarge"},
        "weight": {"lighter", "default", "bolder"},
        "color": COLOURS,
        "fontType": {"default", "monospace"},
        "isSubtle": bool,
        "strikethrough": bool,
    },
    "Action.OpenUrl": {"title": str, "url": str},
}
INSIDE = {"body": {"RichTextBlock"}, "inlines": {"TextRun"}, "actions": {"Action.OpenUrl"}}


def faults(message: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    """What is wrong with a message to a workflow; nothing if Teams would show it."""
    if len(orjson.dumps(message).decode().encode("utf-16-le")) > 28 * 1024:
        yield "it is larger than 28 KB"
    if set(message) != {"type", "attachments"} or message["type"] != "message":
        yield "it is no message with attachments"
    for one in message["attachments"]:
        if one["contentType"] != "application/vnd.microsoft.card.adaptive":
            yield "an attachment is no card"
        if one["content"]["type"] != "AdaptiveCard":
            yield "an attachment is no card"
        yield from _element(one["content"])


def texts(card: Any) -> list[str]:  # noqa: ANN401 - JSON
    """All runs of a card."""
    return [run["text"] for block in card["body"] for run in block["inlines"]]


def _element(element: dict[str, Any]) -> Iterator[str]:
    known = FIELDS.get(element.get("type", ""))
    if known is None:
        yield f"there is no {element.get('type')}"
        return
    for name, value in element.items():
        inside: list[dict[str, Any]] = []
        if name in INSIDE:
            inside = value
        allowed = known.get(name, {element["type"]} if name == "type" else ())
        if isinstance(allowed, type):
            if not isinstance(value, allowed) or value == "":
                yield f"{name} cannot be {value!r}"
        elif not set(value if isinstance(value, dict) else [value]) <= set(allowed):
            yield f"{name} cannot be {value!r}"
        for inner in inside:
            if inner.get("type") not in INSIDE[name]:
                yield f"{name} cannot hold {inner.get('type')}"
            yield from _element(inner)
    if element["type"] == "Action.OpenUrl" and not element["url"].startswith("https://"):
        yield "url is none"
