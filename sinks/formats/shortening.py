"""Shortening: an alert that is larger than a receiver takes goes without what is needed least."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec.structs import replace

from schemas.rows import Result

# Part of an alert, and how much of it stays: so many items or characters from its start, or, below
# 0, from its end. The part needed least goes first; a person needs what it is, and the first act.
_STEPS: Final = (
    ("timeline", -1),
    ("path", 0),
    ("why", 0),
    ("evidence", 0),
    ("findings", 0),
    ("next", 1),
    ("entities", 10),
    ("actions", 3),
    ("tags", 10),
    ("summary", 1000),
    ("title", 300),
    ("timeline", 0),
    ("next", 0),
    ("entities", 3),
    ("actions", 1),
    ("summary", 300),
    ("title", 100),
    ("entities", 0),
    ("tags", 0),
    ("actions", 0),
    ("summary", 0),
)
ELLIPSIS: Final = "\u2026"

Encode = Callable[[Result, tuple[str, ...]], bytes]


def shortened(result: Result, encode: Encode, most: int) -> bytes:
    """The fullest encoding that has at most `most` bytes.

    `encode` gets the names of the parts that were cut, to say so. Where nothing helps, the shortest
    is returned: the caller refuses it.
    """
    encoded = encode(result, ())
    body = result.body
    cut: tuple[str, ...] = ()
    for name, kept in _STEPS:
        if len(encoded) <= most:
            break
        value = body.get(name)
        if not value or len(value) <= abs(kept):
            continue
        body = body | {name: _kept(value, kept)}
        cut = tuple(dict.fromkeys((*cut, name)))
        encoded = encode(replace(result, body=body), cut)
    return encoded


def clipped(text: str, most: int) -> str:
    """At most `most` characters of it; the last one says if there were more."""
    return text if len(text) <= most else text[: most - 1] + ELLIPSIS


def _kept(value: Any, kept: int) -> Any:  # noqa: ANN401 - a list of JSON, or a text
    if isinstance(value, str):
        return clipped(value, kept) if kept else ""
    return value[kept:] if kept < 0 else value[:kept]
