"""PEP 440: the order of versions of Python packages."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final, NamedTuple

Key = tuple[Any, ...]

_VERSION: Final = re.compile(
    r"v?(?:(\d+)!)?(\d+(?:\.\d+)*)"
    r"(?:[-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?(\d*))?"
    r"(?:-(\d+)|[-_.]?(post|rev|r)[-_.]?(\d*))?"
    r"(?:[-_.]?(dev)[-_.]?(\d*))?"
    r"(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?",
    re.ASCII,
)
_PRE: Final = {"alpha": 0, "a": 0, "beta": 1, "b": 1, "preview": 2, "pre": 2, "c": 2, "rc": 2}
_PARTS: Final = re.compile(r"[-_.]")


class Python(NamedTuple):
    """A version as it compares: `public` without what a builder added behind `+`."""

    public: Key
    local: Key


@lru_cache(maxsize=16_384)  # the bounds of a feed are asked for again and again
def python(text: str) -> Python | None:
    """The version that a text of bounded length says; None of what is no version."""
    found = _VERSION.fullmatch(text.strip().lower())
    if found is None:
        return None
    epoch, numbers, pre, pre_number, dashed, post, post_number, dev, dev_number, local = (
        found.groups()
    )
    release = [int(number) for number in numbers.split(".")]
    while len(release) > 1 and release[-1] == 0:
        release.pop()
    last = None if dashed is None and post is None else int(dashed or post_number or 0)
    # A version that is only in development comes before its own alphas, any other behind its
    # candidates.
    before = (3,) if pre is None else (_PRE[pre], int(pre_number or 0))
    if pre is None and last is None and dev is not None:
        before = (-1,)
    public = (
        int(epoch or 0),
        tuple(release),
        before,
        -1 if last is None else last,
        (1,) if dev is None else (0, int(dev_number or 0)),
    )
    return Python(public, _local(local))


def compared(one: Python, bound: Python) -> int:
    """Below zero, zero or above it.

    What a builder added (`0.5.0+cu124`) is no other version where the bound does not speak of it.
    """
    left = one if bound.local else Python(one.public, ())
    return (left > bound) - (left < bound)


def _local(text: str | None) -> Key:
    if text is None:
        return ()
    parts = _PARTS.split(text)
    return tuple((1, int(part), "") if part.isdecimal() else (0, 0, part) for part in parts)
