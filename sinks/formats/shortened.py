"""Shortened: an alert that is too large for its receiver, without what is needed least."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

NEEDED_LEAST: Final = (  # the first goes first; a person may look up all of it by the alert's id
    "timeline",
    "path",
    "why",
    "evidence",
    "findings",
    "next",
    "entities",
    "actions",
)


def shortened(body: dict[str, Any], fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The body if it fits, else without so many parts that it does; all of them if it never does.

    The newest line of the timeline stays. `shortened` in the body names the parts that are cut.
    """
    cut: list[str] = []
    for name in NEEDED_LEAST:
        if fits(body):
            return body
        kept = body.get(name, ())[-1:] if name == "timeline" else ()
        if len(kept) < len(body.get(name, ())):
            cut.append(name)
            body = {**body, name: list(kept), "shortened": list(cut)}
    return body
