"""Block Kit: an alert, what changed in one, and a digest as messages of Slack.

Texts stand in `plain_text` and in the text elements of `rich_text`, in which Slack reads no markup:
a mention or a link is an element of another type there, and no text can become one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sinks.delivery.digest import Issue
from sinks.formats.words import Words

Block = dict[str, Any]


def alert(told: Words, over: str = "", *, struck: bool = False) -> list[Block]:
    """One alert. `over`: why it is; `struck`: it was never so."""
    top = _header(told.headline)
    if struck:
        top = _rich(_section(_text(told.headline, bold=True, strike=True)))
    parts: list[Block] = []
    if over:
        parts.append(_section(_text(f"{over}\n", bold=True)))
    parts.append(_section(_text(told.summary)))
    for title, lines in (
        ("Why", told.why),
        ("What next", () if over else told.next),
        ("What to do", () if over else told.actions),
    ):
        if lines:
            parts += [_section(_text(title, bold=True)), _list(lines)]
    if told.link is not None:
        parts.append(_section({"type": "link", "url": told.link, "text": "Open it"}))
    parts.append(_section(_text("Look further", bold=True)))
    parts.append({"type": "rich_text_preformatted", "elements": [_text("\n".join(told.commands))]})
    return [top, _rich(*parts), _context(told.times)]


def change(line: str) -> list[Block]:
    """What changed, in a line: for the thread of the alert."""
    return [_rich(_section(_text(line)))]


def digest(issue: Issue) -> list[Block]:
    """What waited."""
    parts: list[Block] = []
    for entry in issue.open:
        head: Block = _text(entry.headline, bold=True)
        if entry.link is not None:
            head = {"type": "link", "url": entry.link, "text": entry.headline}
        parts.append(_section(head, _text(f"\n{entry.action}\n" if entry.action else "\n")))
        parts.append({"type": "rich_text_preformatted", "elements": [_text(entry.command)]})
    if issue.more:
        parts.append(_section(_text(f"and {issue.more} more: barograph query --name alerts\n")))
    if issue.ended:
        parts += [_section(_text("Over", bold=True)), _list(issue.ended)]
    if issue.faded:
        parts.append(_section(_text(f"and {issue.faded} more")))
    if issue.note:
        parts.append(_section(_text(issue.note)))
    return [_header(f"Barograph: {issue.title}"), _rich(*parts)]


def fallback(line: str) -> str:
    """The text of a notification, which is read as mrkdwn: its three characters are escaped."""
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _header(line: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": line, "emoji": False}}


def _context(line: str) -> Block:
    return {
        "type": "context",
        "elements": [{"type": "plain_text", "text": line, "emoji": False}],
    }


def _rich(*parts: Block) -> Block:
    return {"type": "rich_text", "elements": list(parts)}


def _section(*elements: Block) -> Block:
    return {"type": "rich_text_section", "elements": list(elements)}


def _list(lines: Iterable[str]) -> Block:
    items = [_section(_text(line)) for line in lines]
    return {"type": "rich_text_list", "style": "bullet", "elements": items}


def _text(text: str, **style: bool) -> Block:
    return {"type": "text", "text": text or " "} | ({"style": style} if style else {})
