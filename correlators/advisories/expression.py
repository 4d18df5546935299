"""Expression: the versions that a rule of the YAML feed names, `version >= "1" && version < "2"`.

    either  = both { "||" both }
    both    = one { "&&" one }
    one     = "(" either ")" | "version" op text
    op      = "<" | "<=" | ">" | ">=" | "==" | "!="

A comparison that cannot be made is neither true nor false (Kleene), and matches nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from correlators.advisories.versions import LONGEST, compared, known

LONGEST_TEXT: Final = 4096
DEEPEST: Final = 32
_TOKEN: Final = re.compile(r"\s*(?:(\|\||&&|[()]|[<>=!]=?)|\"([^\"]*)\"|'([^']*)'|(\w+))", re.ASCII)
_OPERATORS: Final = frozenset({"<", "<=", ">", ">=", "==", "!="})


class NoExpression(Exception):
    """A text that is none; says why."""


class Bound(NamedTuple):
    """One comparison with a version."""

    operator: str
    version: str

    def holds(self, version: str) -> bool | None:
        """None where the two versions cannot be compared."""
        sign = compared("open", version, self.version)
        if sign is None:
            return None
        if sign == 0:
            return self.operator in {"<=", ">=", "=="}
        return self.operator == "!=" or self.operator.startswith("<" if sign < 0 else ">")


class Joined(NamedTuple):
    """Several, of which one (`either`) or all must hold."""

    either: bool
    parts: tuple[Bound | Joined, ...]

    def holds(self, version: str) -> bool | None:
        """As Kleene has it: unknown unless what is known decides."""
        found = {part.holds(version) for part in self.parts}
        if self.either in found:
            return self.either
        return None if None in found else not self.either

    def bounds(self) -> Iterator[Bound]:
        """All comparisons inside."""
        for part in self.parts:
            if isinstance(part, Bound):
                yield part
            else:
                yield from part.bounds()


def expression(text: str) -> Joined:
    """What a text says. Raises NoExpression."""
    if not text.strip():
        raise NoExpression("it names no version")
    if len(text) > LONGEST_TEXT:
        raise NoExpression(f"longer than {LONGEST_TEXT} characters")
    reading = _Reading(list(_tokens(text)))
    found = reading.either(0)
    if reading.left:
        raise NoExpression(f"`{reading.left[-1][1]}` is too much")
    for bound in found.bounds():
        if not known("open", bound.version):
            raise NoExpression(f"`{bound.version[:LONGEST]}` is no version that can be compared")
    return found


class _Reading:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.left = tokens[::-1]

    def either(self, depth: int) -> Joined:
        if depth > DEEPEST:
            raise NoExpression(f"nested deeper than {DEEPEST} levels")
        parts = [self._both(depth)]
        while self._take("||"):
            parts.append(self._both(depth))
        return Joined(either=True, parts=tuple(parts))

    def _both(self, depth: int) -> Joined:
        parts = [self._one(depth)]
        while self._take("&&"):
            parts.append(self._one(depth))
        return Joined(either=False, parts=tuple(parts))

    def _one(self, depth: int) -> Bound | Joined:
        if self._take("("):
            inside = self.either(depth + 1)
            if not self._take(")"):
                raise NoExpression("a `)` is missing")
            return inside
        kind, name = self._next()
        if (kind, name) != ("name", "version"):
            raise NoExpression(f"it asks for `{name}`, not for the version")
        _, operator = self._next()
        if operator not in _OPERATORS:
            raise NoExpression(
                f"`{operator}` is no comparison" + "; is it `==`?" * (operator == "=")
            )
        kind, version = self._next()
        if kind != "text":
            raise NoExpression(f"`{version}` is not in quotes")
        return Bound(operator, version)

    def _take(self, sign: str) -> bool:
        if self.left and self.left[-1] == ("sign", sign):
            self.left.pop()
            return True
        return False

    def _next(self) -> tuple[str, str]:
        if not self.left:
            raise NoExpression("it ends too early")
        return self.left.pop()


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at, text = 0, text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise NoExpression(f"`{text[at : at + 16].strip()}` is not understood")
        sign, double, single, name = found.groups()
        if sign is not None:
            yield "sign", sign
        elif name is not None:
            yield "name", name
        else:
            yield "text", single if double is None else double
        at = found.end()
