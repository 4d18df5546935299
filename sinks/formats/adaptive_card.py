"""Adaptive Cards 1.4: an alert and a digest for Teams.

Texts of others stand in text runs only: these know no Markdown, no mention and no link.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sinks.delivery.digest import Issue
from sinks.formats.words import Words

Card = dict[str, Any]
Element = dict[str, Any]
COLOURS = {"warning": "attention", "watch": "warning", "outlook": "accent"}


def alert(told: Words, stage: str, line: str, over: str = "", *, struck: bool = False) -> Card:
    """One alert. `line`: what changed; `over`: why it is; `struck`: it was never so."""
    colour = "default" if over else COLOURS[stage]
    title = _run(told.headline, size="large", weight="bolder", color=colour)
    body = [_rich(title | {"strikethrough": True} if struck else title)]
    body.append(_rich(_run(over or line, weight="bolder")))
    body.append(_rich(_run(told.summary)))
    for name, lines in (
        ("Why", told.why),
        ("What next", () if over else told.next),
        ("What to do", () if over else told.actions),
    ):
        body += _part(name, lines)
    body += _part("Look further", told.commands, fontType="monospace")
    body.append(_rich(_run(told.times, isSubtle=True, size="small")))
    return _card(told.headline, body, told.link)


def digest(issue: Issue) -> Card:
    """What waited."""
    title = f"Barograph: {issue.title}"
    body = [_rich(_run(title, size="large", weight="bolder"))]
    for entry in issue.open:
        body.append(_rich(_run(entry.headline, weight="bolder"), spacing="medium"))
        if entry.action:
            body.append(_rich(_run(entry.action), spacing="none"))
        body.append(_rich(_run(entry.command, fontType="monospace"), spacing="none"))
    if issue.more:
        body.append(_rich(_run(f"and {issue.more} more: barograph query --name alerts")))
    body += _part("Over", issue.ended)
    if issue.faded:
        body.append(_rich(_run(f"and {issue.faded} more")))
    if issue.note:
        body.append(_rich(_run(issue.note)))
    return _card(title, body, None)


def message(card: Card) -> dict[str, Any]:
    """What a Workflows webhook takes."""
    content = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return {"type": "message", "attachments": [content]}


def _card(fallback: str, body: list[Element], link: str | None) -> Card:
    card: Card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": fallback,
        "msteams": {"width": "Full"},
        "body": body,
    }
    if link is not None:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open it", "url": link}]
    return card


def _part(title: str, lines: Iterable[str], **style: object) -> list[Element]:
    told = list(lines)
    if not told:
        return []
    rows = [_rich(_run(line, **style), spacing="none") for line in told]
    return [_rich(_run(title, weight="bolder"), spacing="medium"), *rows]


def _rich(*runs: Element, **layout: object) -> Element:
    return {"type": "RichTextBlock", "inlines": list(runs), **layout}


def _run(text: str, **style: object) -> Element:
    return {"type": "TextRun", "text": text or " ", **style}
