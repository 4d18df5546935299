"""The chain of an alert drawn on the lineage of its system: walked edges bold, open ones dashed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from infra.report.html import Html, name, tag
from infra.report.lineage import Lineage, Link, Node
from infra.report.route import BOX_HEIGHT, BOX_WIDTH, corner, left, route, size
from infra.terminal import shown
from schemas.alert import Step

LABEL = 15  # characters that fit into a box
SMALLEST = 0.8  # of its natural size; below that the picture scrolls
_RANK = {"other": 0, "open": 1, "walked": 2}


def chain(picture: Lineage, path: Sequence[Step]) -> Html:
    """The picture and the same path in words; boxes and edges carry their full names as titles."""
    width, height = size(picture)
    words = "; ".join(f"{s.from_} {s.relation} {s.to} ({s.state})" for s in path)
    drawing = tag(
        "svg",
        tag("title", f"Lineage: {words}"),
        *_titles(picture),
        *(_edge(picture, link) for link in sorted(picture.links, key=lambda k: _RANK[k.state])),
        *(_box(node) for node in picture.nodes.values()),
        *(_label(picture, link) for link in picture.links if link.state != "other"),
        viewBox=f"0 0 {width} {height}",
        style=f"max-width:{width}px;min-width:{SMALLEST * width:.0f}px",
        role="img",
        aria_label=f"Lineage: {words}",
        class_="lineage",
    )
    left_out = f"{shown.plural(picture.left_out, 'thing')} more in this system: barograph lineage"
    return tag(
        "figure",
        tag("div", drawing, class_="scroll", tabindex=0, role="region", aria_label="Lineage"),
        tag(
            "figcaption",
            tag("ol", *map(_words, path), class_="path"),
            tag("p", left_out, class_="note") if picture.left_out else None,
        ),
    )


def _titles(picture: Lineage) -> Iterator[Html]:
    for column, title in enumerate(picture.titles):
        yield tag("text", title, x=left(column), y=14, class_="column")


def _box(node: Node) -> Html:
    kind, _, entity = node.key.partition(":")
    x, y = corner(node)
    return tag(
        "g",
        tag("title", node.key),
        tag("rect", x=x, y=y, width=BOX_WIDTH, height=BOX_HEIGHT, rx=3),
        tag("text", kind.replace("_", " "), x=x + 9, y=y + 15, class_="kind"),
        tag("text", _short(entity), x=x + 9, y=y + 32, class_="name"),
        class_="box on" if node.on_path else "box",
    )


def _short(entity: str) -> str:
    last = entity.rpartition("/")[2]
    if len(entity) > LABEL and 0 < len(last) <= LABEL - 2 and last != entity:
        return f"…/{shown.text(last)}"  # the end of a path tells more than its start
    return shown.short(entity, LABEL)


def _edge(picture: Lineage, link: Link) -> Html:
    way = route(picture, link)
    return tag(
        "g",
        tag("title", f"{link.from_} {link.relation} {link.to}"),
        tag("path", d=way.curve, class_="line"),
        tag("path", d=way.head, class_="head"),
        class_=f"edge {link.state}",
    )


def _label(picture: Lineage, link: Link) -> Html:
    x, y = route(picture, link).label
    words = shown.short(link.relation.replace("_", " "), 12)
    return tag("text", words, x=f"{x:g}", y=f"{y:g}", class_=f"relation {link.state}")


def _words(step: Step) -> Html:
    return tag(
        "li",
        name(step.from_),
        tag("span", f" {step.relation.replace('_', ' ')} ", class_="verb"),
        name(step.to),
        tag("span", f" {step.state}", class_=f"state {step.state}"),
    )
