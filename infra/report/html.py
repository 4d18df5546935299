"""HTML as values: a text is escaped unless it was built here."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from infra.terminal import shown
from schemas.entity import KINDS
from schemas.times import rfc3339


class Html(str):
    """Markup made by `tag` or `join`: the only strings that enter a page as they are."""

    __slots__ = ()


Child = str | int | None | Iterable["Child"]


def join(*children: Child) -> Html:
    """The children one after the other; None is nothing."""
    return Html("".join(map(_child, children)))


def tag(name: str, *children: Child, **attributes: str | float | None) -> Html:
    """One element with both its tags.

    `class_` is `class`, `aria_label` is `aria-label`; an attribute that is None is left out.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(shown.text(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Html(f"<{name}{written}>{join(*children)}</{name}>")


def when(micros: int) -> Html:
    """A point in time, to the second, exact in `datetime`; the page says once that all is UTC."""
    return tag("time", shown.time(micros), datetime=rfc3339(micros))


def name(value: str) -> Html:
    """A name out of a record, inside a line: its script must not reorder what stands around it."""
    return tag("bdi", value)


def entity(key: str, limit: int = shown.MAX_TEXT) -> Html:
    """A `kind:id` with its kind set apart; an id above `limit` keeps its ends, its title all."""
    kind, colon, id_ = key.partition(":")
    if not colon or kind not in KINDS:
        return name(key)
    label = name(shown.short(id_, limit))
    title = id_ if len(id_) > limit else None
    return tag("span", tag("span", kind.replace("_", " "), class_="kind"), " ", label, title=title)


def _child(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Html):
        return child
    if isinstance(child, str | int):
        return escape(shown.text(child))
    return "".join(map(_child, child))
