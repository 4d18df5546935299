"""Tagging: tags of OWASP and ATLAS on a rule that stand for nothing, and so count nowhere."""

from __future__ import annotations

from collections.abc import Iterator

from correlators.atlas import technique
from correlators.document import Part
from correlators.sigma.values import is_list
from correlators.standards import standards


def unknown(part: Part) -> Iterator[tuple[int, str]]:
    """The line of each such tag, and what is wrong with it. Other tags are none of our business."""
    tags = part.data.get("tags")
    for number, tag in enumerate(tags if is_list(tags) else ()):
        group = str(tag).lower().partition(".")[0]
        if group == "owasp" and str(tag) not in standards().tagged():
            yield part.line_of("tags", number), f"`{tag}` is no control of a framework"
        if group == "atlas" and str(tag).startswith("atlas.aml-t") and technique(str(tag)) is None:
            yield part.line_of("tags", number), f"`{tag}` is no technique of ATLAS"
