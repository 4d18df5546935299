"""Played: events of a test through the real stages into a store that commands can ask."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from correlators.keyed import Keyed
from correlators.routes import Routes
from correlators.ruleset import Ruleset, builtin, parse
from schemas.canonical import digest
from schemas.entity import Entity
from schemas.event import Edge, Event, EventEvidence
from schemas.rows import Delete, Output, Result, Row, Tick
from schemas.times import DAY, END
from schemas.times import parse as time_of
from sinks.store import Store
from streams.matchers import Matchers
from streams.records.untrusted import edge
from streams.source import Parsed
from streams.statements import Statements
from streams.topology import INGEST, build, partition_of, stage_of

START = time_of("2026-03-02T00:00:00Z")
_numbers = count()


def thing(key: str, name: str | None = None) -> Entity:
    """The entity of a `kind:id`."""
    kind, _, id_ = key.partition(":")
    return Entity.model_validate({"kind": kind, "id": id_, "name": name})


def link(from_: str, relation: str, to: str, **more: Any) -> Edge:  # noqa: ANN401 - as of `edge`
    """An edge between two `kind:id`."""
    return edge(thing(from_), relation, thing(to), **more)


def event(
    day: float,
    source: str,
    class_uid: int,
    about: Iterable[str | Entity] = (),
    edges: Iterable[Edge] = (),
    **more: Any,  # noqa: ANN401 - any field
) -> Event:
    """An event so many days after the start; the ends of its edges are among its entities."""
    named = [one if isinstance(one, Entity) else thing(one) for one in about]
    ends = (end for one in edges for end in (one.from_, one.to))
    entities = {one.key: one for one in [*ends, *named]}
    first = [entities.pop(one.key) for one in named if one.key in entities]
    uid = f"e{next(_numbers)}"
    said = {
        "uid": uid,
        "time": START + round(day * DAY),
        "source": source,
        "class_uid": class_uid,
        "class_name": {
            2002: "Vulnerability Finding",
            5020: "Software Inventory Info",
            5021: "OSINT Inventory Info",
        }.get(class_uid, "API Activity"),
        "activity": "Other",
        "status": "success",
        "entities": (*first, *entities.values()),
        "edges": tuple(edges),
        "evidence": EventEvidence(origin=f"file:x#{uid}", sha256=digest(uid)),
    }
    return Event.model_validate(said | more)


def results(events: Iterable[Event], until: float = 1_000.0) -> list[Result]:
    """What all stages say of the events, with the built-in rules; the newest of each id."""
    found: dict[tuple[str, str], Result] = {}
    for result in _run(list(events), START + round(until * DAY)):
        found[result.kind, result.id] = result
    return [result for result in found.values() if result.state == "final"]


def store(events: Iterable[Event], folder: Path) -> Path:
    """A store of the results, for `--store`; without alerts, which a driver would number."""
    writing = Store(folder, finite=True)
    writing.open(None)
    kept = [result for result in results(events) if result.kind not in {"alert", "finding"}]
    assert writing.write(kept).problem is None
    writing.close()
    return folder


@cache
def _rules() -> tuple[Ruleset, Matchers]:
    rules = parse(builtin())
    return rules, Matchers(rules.rules)


def _run(events: list[Event], until: int) -> Iterable[Result]:
    rules, matchers = _rules()
    routes = Routes(rules)
    said = Statements(matchers, routes)
    stages: dict[str, Keyed] = build(rules, routes, {INGEST: None}, 1)
    inbox: dict[str, list[Row | Delete | Tick]] = {name: [] for name in stages}

    def send(outputs: Iterable[Output]) -> Iterable[Result]:
        for output in outputs:
            if isinstance(output, Result):
                yield output
            elif isinstance(output, Tick):
                for name, stage in stages.items():
                    if output.input in stage.clock.ticks:
                        inbox[name].append(output)
            else:
                inbox[f"{stage_of(output)}/{partition_of(output.key, 1)}"].append(output)

    for one in events:
        yield from send(said.of(Parsed(one, {}), None, (), None))
    yield from send([Tick(INGEST, 0, END, until)])
    for name, stage in stages.items():
        changes, outputs = stage.step(inbox[name])
        stage.apply(changes)
        yield from send(outputs)
