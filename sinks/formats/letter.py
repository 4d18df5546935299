"""Letter: an alert and a digest as the text and the HTML of a mail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from typing import NamedTuple

from sinks.delivery.digest import Issue
from sinks.formats.words import Words


class Letter(NamedTuple):
    """`html` stands alone: it asks for nothing from elsewhere."""

    subject: str
    text: str
    html: str


class Part(NamedTuple):
    """A title with lines under it; `code`: commands to copy."""

    title: str
    lines: tuple[str, ...]
    code: bool = False


def alert(told: Words, line: str, over: str = "", *, struck: bool = False) -> Letter:
    """One alert. `line`: what changed; `over`: why it is; `struck`: it was never so."""
    parts = (
        Part(over or line, (told.summary,)),
        Part("Why", told.why),
        Part("What next", () if over else told.next),
        Part("What to do", () if over else told.actions),
        Part("Look further", told.commands, code=True),
        Part("When", (told.times,)),
    )
    return _letter(told.headline, parts, told.link, struck=struck)


def digest(issue: Issue) -> Letter:
    """What waited."""
    parts = [
        Part(entry.headline, tuple(filter(None, (entry.action, entry.command, entry.link))))
        for entry in issue.open
    ]
    if issue.more:
        parts.append(Part(f"and {issue.more} more", ("barograph query --name alerts",), code=True))
    faded = (f"and {issue.faded} more",) if issue.faded else ()
    parts.append(Part("Over", issue.ended + faded))
    parts.append(Part(issue.title, (issue.note,) if issue.note else ()))
    return _letter(f"Barograph: {issue.title}", parts, None)


def _letter(
    subject: str, parts: Iterable[Part], link: str | None, *, struck: bool = False
) -> Letter:
    told = [part for part in parts if part.lines]
    return Letter(
        subject,
        "\n".join(_text(subject, told, link)) + "\n",
        _html(subject, told, link, struck=struck),
    )


def _text(subject: str, parts: Iterable[Part], link: str | None) -> Iterator[str]:
    yield subject
    for part in parts:
        yield from ("", part.title)
        yield from (f"  {line}" for line in part.lines)
    if link is not None:
        yield from ("", link)


def _html(subject: str, parts: Iterable[Part], link: str | None, *, struck: bool) -> str:
    head = f"<s>{escape(subject)}</s>" if struck else escape(subject)
    inner = [f"<h1 style='font-size:18px'>{head}</h1>"]
    for part in parts:
        inner.append(f"<h2 style='font-size:14px;margin:16px 0 4px'>{escape(part.title)}</h2>")
        lines = "<br>".join(map(escape, part.lines))
        tag = "code" if part.code else "span"
        inner.append(f"<p style='margin:0'><{tag}>{lines}</{tag}></p>")
    if link is not None:
        inner.append(f"<p><a href='{escape(link)}'>Open it</a></p>")
    return (
        "<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'>"
        f"<title>{escape(subject)}</title></head>"
        f"<body style='font:14px sans-serif'>{''.join(inner)}</body></html>"
    )
