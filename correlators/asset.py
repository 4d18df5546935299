"""Asset: an entity as the sources say it, with its attributes, facts and edges, all bounded.

What a source says of a thing comes in two ways that are kept apart: it was declared (by a bill of
materials, a configuration, an administrator's call), or it was observed at work.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from schemas.canonical import canonical, digest
from schemas.times import DAY

WayName = Literal["declared", "observed"]
STATEMENTS = 64  # attributes kept of one entity: of more, those said longest ago are forgotten
LONGEST = 1_024  # bytes of a value that is kept with its history


class Way(msgspec.Struct, array_like=True, frozen=True):
    """Since when something is known in one way, and when it was last said, to the day."""

    since: int
    seen: int


class Said(msgspec.Struct, array_like=True, frozen=True):
    """One value of one attribute, as one source says it; confidence in thousandths."""

    name: str
    value: Any
    source: str
    since: int
    seen: int
    confidence: int


class Fact(msgspec.Struct, array_like=True, frozen=True):
    """A fact of this entity. `body` is what the last record said of it.

    `waived`: it is said to be open, but a VEX statement stands against it.
    """

    name: str
    instance: str
    open: bool
    since: int
    seen: int
    until: int | None
    body: dict[str, Any]
    waived: bool = False


class Edge(msgspec.Struct, array_like=True, frozen=True):
    """An edge that starts here. An end is the end of both ways; confidence in thousandths."""

    relation: str
    to: str
    open: bool
    since: int
    seen: int
    until: int | None
    declared: Way | None
    observed: Way | None
    confidence: int


class Asset(msgspec.Struct, array_like=True):
    """An entity, its facts by `name|instance` and its edges by `relation|to`.

    `affected`: open findings of each vulnerability that it has. Of a vulnerability itself `assets`
    are those that ever had it, and when that was last said.
    """

    first_seen: int | None = None
    last_seen: int | None = None
    name: str | None = None
    sources: list[str] = []
    attributes: dict[str, Any] = {}
    facts: dict[str, Fact] = {}
    edges: dict[str, Edge] = {}
    declared: Way | None = None
    observed: Way | None = None
    history: dict[str, Said] = {}
    affected: dict[str, int] = {}
    assets: dict[str, int] = {}

    def copy(self) -> Asset:
        """A copy that can be changed: what is not a dict of facts is replaced, never altered."""
        return msgspec.structs.replace(
            self,
            facts=self.facts.copy(),
            edges=self.edges.copy(),
            affected=self.affected.copy(),
            assets=self.assets.copy(),
        )


def again(way: Way | None, at: int) -> Way:
    """Known in this way at that time, too; what is said all day is one change."""
    if way is None:
        return Way(at, at)
    return way if at // DAY <= way.seen // DAY else Way(way.since, at)


def heard(
    history: dict[str, Said], said: dict[str, Any], source: str, at: int, confidence: int
) -> dict[str, Said]:
    """The history with what a source said of attributes at that time; the same one if it is old.

    A value that a source says again is one entry; another value is another entry.
    """
    found = history
    for name, value in said.items():
        if len(canonical(value)) > LONGEST:
            continue
        place = digest(name, source, value)
        known = found.get(place)
        if known is not None and at // DAY <= known.seen // DAY:
            continue
        since = at if known is None else known.since
        found = found | {place: Said(name, value, source, since, at, confidence)}
    if len(found) > STATEMENTS:
        kept = sorted(found, key=lambda place: (found[place].seen, place))[-STATEMENTS:]
        found = {place: found[place] for place in kept}
    return found


def late(at: int, time: int, seen: int | None) -> bool:
    """True for what came late and is not newer than what is known."""
    return seen is not None and at < time and at <= seen
