"""Advisory: one vulnerability of one component, with the versions that have it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from correlators.advisories.expression import Joined
from correlators.advisories.versions import Order, compared
from schemas.event import Level

Turn = Literal["introduced", "fixed", "last_affected"]


class Span(NamedTuple):
    """Versions from one turn to the next, the lowest turn first; `0` comes before all."""

    order: Order
    turns: tuple[tuple[Turn, str], ...]

    def holds(self, version: str) -> bool:
        """True if the last turn that the version has passed makes it vulnerable."""
        found = False
        for turn, at in self.turns:
            sign = 1 if at == "0" else compared(self.order, version, at)
            if sign is None:
                return False
            if sign > 0 or (sign == 0 and turn != "last_affected"):
                found = turn == "introduced"
        return found

    def fixes(self) -> Iterable[str]:
        """The versions that end it."""
        return (at for turn, at in self.turns if turn == "fixed")


class Listed(NamedTuple):
    """Versions by name."""

    order: Order
    versions: frozenset[str]

    def holds(self, version: str) -> bool:
        """True if it is one of them, however it is written (`1.0` is `1.0.0` in Python)."""
        return version in self.versions or any(
            compared(self.order, version, one) == 0 for one in self.versions
        )

    def fixes(self) -> Iterable[str]:
        """A list does not say."""
        return ()


class Ruled(NamedTuple):
    """Versions by an expression."""

    expression: Joined
    order: Order = "open"

    def holds(self, version: str) -> bool:
        """True if the expression says so, and not if it cannot be judged."""
        return self.expression.holds(version) is True

    def fixes(self) -> Iterable[str]:
        """Where `version < x` ends."""
        return (bound.version for bound in self.expression.bounds() if bound.operator == "<")


Affected = Span | Listed | Ruled


class Advisory(NamedTuple):
    """`ecosystem` is as OSV names it, "" of a product by its plain name.

    `id` is the feed's own, `severity` its word, or that of `score` (CVSS 3 base score).
    """

    id: str
    ecosystem: str
    name: str
    title: str
    severity: Level
    score: float | None
    aliases: tuple[str, ...]
    affected: tuple[Affected, ...]

    @property
    def common(self) -> str:
        """Its most common id: the CVE, where it has one."""
        return next((one for one in (self.id, *self.aliases) if one.startswith("CVE-")), self.id)

    def holds(self, version: str) -> bool:
        """True if that version is vulnerable; not if nobody can tell."""
        return any(one.holds(version) for one in self.affected)

    def fixed(self, version: str) -> str | None:
        """The nearest version above that one which is said to be mended."""
        return nearest(self.affected, version)


def nearest(affected: Sequence[Affected], version: str) -> str | None:
    """The lowest fix above a version."""
    best: str | None = None
    for one in affected:
        for fix in one.fixes():
            above = (compared(one.order, fix, version) or 0) > 0
            if above and (best is None or (compared(one.order, fix, best) or 0) < 0):
                best = fix
    return best
