"""Radius: the blast radius of one thing out of the store, counted, and told as lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from correlators.blast import Link, Reached, Step, blast
from infra.terminal.shown import plural, text

if TYPE_CHECKING:
    from infra.reading.reader import Reader

LINKS = 1_000_000  # edges of an estate
SHOWN = 40  # things that are listed; the counts are of all


@dataclass(frozen=True)
class Radius:
    """What is reached from `entity`, nearest first.

    `counts` are by layer and kind, `systems` the AI systems of which anything is reached, `private`
    what of it holds private data.
    """

    entity: str
    reached: tuple[Reached, ...]
    counts: tuple[tuple[str, str, int, int], ...]
    systems: tuple[tuple[str, int], ...]
    private: frozenset[str]

    def said(self, time: str | None) -> dict[str, Any]:
        """As JSON; `as_of` is absent for what holds now."""
        said: dict[str, Any] = {"entity": self.entity} | ({"as_of": time} if time else {})
        return said | {
            "counts": [
                {"layer": layer, "kind": kind, "held": held, "used": used}
                for layer, kind, held, used in self.counts
            ],
            "systems": [{"system": name, "things": things} for name, things in self.systems],
            "private_data": sorted(self.private),
            "reached": [
                {
                    "entity": one.entity,
                    "hold": one.hold,
                    "confidence": round(one.confidence, 4),
                    "private": one.entity in self.private,
                    "path": [{"from": a, "relation": by, "to": b} for a, by, b in one.path],
                }
                for one in self.reached
            ],
        }


def radius(reader: Reader, entity: str, time: str | None, deepest: int) -> Radius:
    """The blast radius by the edges that hold now, or held at a time."""
    query = (
        "SELECT from_entity, relation, to_entity, confidence FROM edges_at(CAST($1 AS TIMESTAMP))"
    )
    links: list[Link] = [
        (row[0], row[1], row[2], row[3]) for row in reader.run(query, [time], rows=LINKS).rows
    ]
    reached = tuple(blast(links, entity, deepest))
    rows = reader.run("SELECT entity FROM private_data", rows=LINKS).rows
    private = frozenset(str(row[0]) for row in rows) & {one.entity for one in reached}
    return Radius(entity, reached, _counts(reader, reached), _systems(reader, reached), private)


def lines(found: Radius) -> Iterator[str]:
    """Counts, the AI systems touched, the private data, then each thing with the way to it."""
    things = plural(len(found.reached), "thing")
    yield text(f"{found.entity}: {things} within reach")
    for layer, kind, held, used in found.counts:
        yield f"  {layer:<27} {kind:<12} {_both(held, used)}"
    if not found.reached:
        return
    systems = ", ".join(f"{name} ({things})" for name, things in found.systems)
    yield text(f"AI systems touched: {systems or 'none'}")
    yield text(f"private data: {', '.join(sorted(found.private)) or 'none'}")
    yield "the shortest ways:"
    for one in found.reached[:SHOWN]:
        sure = "" if one.confidence >= 1 else f", {one.confidence:.0%} sure"
        yield text(f"  {_way(found.entity, one.path)} [{one.hold}{sure}]")
    if len(found.reached) > SHOWN:
        yield f"  and {len(found.reached) - SHOWN} more; --json has all"


def _both(held: int, used: int) -> str:
    said = ((held, "held"), (used, "can be used"))
    return ", ".join(f"{count} {how}" for count, how in said if count)


def _way(start: str, path: tuple[Step, ...]) -> str:
    said, here = start, start
    for from_, relation, to in path:
        here = to if here == from_ else from_
        said += f" -{relation}-> {here}" if here == to else f" <-{relation}- {here}"
    return said


def _counts(reader: Reader, reached: tuple[Reached, ...]) -> tuple[tuple[str, str, int, int], ...]:
    counts: dict[str, dict[str, int]] = {}
    for one in reached:
        of = counts.setdefault(one.entity.partition(":")[0], {"held": 0, "used": 0})
        of[one.hold] += 1
    rows = reader.run("SELECT layer, kind FROM kinds ORDER BY layer_number, kind").rows
    return tuple(
        (layer, kind, counts[kind]["held"], counts[kind]["used"])
        for layer, kind in rows
        if kind in counts
    )


def _systems(reader: Reader, reached: tuple[Reached, ...]) -> tuple[tuple[str, int], ...]:
    found = {one.entity for one in reached}
    counts: dict[str, int] = {}
    for system, entity in reader.run("SELECT root, entity FROM system_members", rows=LINKS).rows:
        if entity in found:
            counts[system] = counts.get(system, 0) + 1
    return tuple(sorted(counts.items(), key=lambda one: (-one[1], one[0])))
