"""Shape: the keys of the first record of an answer, from no more than its start.

A head is cut anywhere, so it is not decoded: its tokens are walked up to where it ends.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Final

_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"|[{}\[\]:,]')
_TOKENS: Final = 6_000  # that are looked at
_DEEP: Final = 5  # objects in lists in objects
_LONGEST: Final = 512  # bytes of a text that is kept

Shapes = Mapping[tuple[str, ...], Mapping[str, str]]


class _Walk:
    """Where the tokens have led to, and what was found on the way."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, ...], dict[str, str]] = {}
        self._open: list[tuple[str | None, bool]] = []  # the key of each, and is it an object?
        self._seen: set[tuple[str, ...]] = set()
        self._key: str | None = None

    def colon(self, name: bytes | None) -> None:
        self._key = _text(name)
        place = self._place()
        if len(place) < _DEEP and place not in self._seen:
            self.found.setdefault(place, {}).setdefault(self._key, "")

    def value(self, token: bytes) -> None:
        place = self._place()
        if self._key is not None and place in self.found and place not in self._seen:
            self.found[place][self._key] = _text(token)

    def opens(self, *, an_object: bool) -> None:
        self._open.append((self._key, an_object))
        self._key = None

    def closes(self) -> bool:
        """True where the document ends."""
        if self._open and self._open[-1][1]:
            self._seen.add(self._place())
        self._open = self._open[:-1]
        self._key = None
        return not self._open

    def comma(self) -> None:
        self._key = None

    def _place(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self._open if name is not None)


@lru_cache(maxsize=4)  # one head is shown to one source after the other
def shapes(head: bytes) -> Shapes:
    """The first object, and the first inside each of its lists and objects, by where they are.

    Lists add nothing to the path: a list of records, and of pages with a list of records, have
    theirs at () and (name,). A value is the text that it is, empty of others.
    """
    walk, last = _Walk(), None
    for token in islice(_TOKEN.finditer(head), _TOKENS):
        match token[0]:
            case b":":
                walk.colon(last)
            case b"{" | b"[" as mark:
                walk.opens(an_object=mark == b"{")
            case b"}" | b"]":
                if walk.closes():
                    break
            case b",":
                walk.comma()
            case word:
                walk.value(word)
        last = token[0]
    return walk.found


def within(head: bytes, lists: Collection[str]) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The first records of an answer, each with the name of its list, empty of one in none."""
    if head.lstrip()[:1] not in {b"{", b"["}:
        return
    for place, keys in shapes(head).items():
        if all(name in lists for name in place):
            yield (place[-1] if place else ""), keys


def _text(token: bytes | None) -> str:
    return (token or b"")[1:-1][:_LONGEST].decode(errors="replace")
