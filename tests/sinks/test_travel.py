"""Time travel: what was known and held at a time, and what changed between two."""

from pathlib import Path
from typing import Any

import pytest

from infra.reading.reader import Reader
from schemas.rows import Result
from sinks.store import SNAPSHOT, Store

DAY = "2026-01-{:02}T00:00:00.000000Z"
BOT = "agent:bot"


def asset(kind: str, id_: str, first: int, **more: Any) -> Result:  # noqa: ANN401 - JSON
    seen = {"first_seen": DAY.format(first), "last_seen": DAY.format(9), "sources": ["otel"]}
    return Result("asset", f"{kind}:{id_}", 0, "final", {"kind": kind, "id": id_} | seen | more)


def value(of: str, first: int, last: int, source: str = "otel") -> dict[str, Any]:
    seen = {"first_seen": DAY.format(first), "last_seen": DAY.format(last)}
    return {"name": "asset.exposure", "value": of, "source": source, "confidence": 0.9} | seen


def edge(to: str, begins: int, ends: int | None = None) -> Result:
    body: dict[str, Any] = {"from": BOT, "relation": "uses", "to": to, "declared": False}
    body |= {"valid_from": DAY.format(begins), "last_seen": DAY.format(9)}
    body |= {} if ends is None else {"valid_to": DAY.format(ends)}
    return Result("edge", f"{to}{begins}", 0, "final", body | {"observed_from": DAY.format(begins)})


def fact(id_: str, name: str, entity: str, since: int, until: int | None = None) -> Result:
    body = {"entity": entity, "name": name, "instance": "deleted" if "state" in name else ""}
    body |= {"since": DAY.format(since), "state": "open" if until is None else "resolved"}
    body |= {} if until is None else {"until": DAY.format(until)}
    return Result("fact", id_, 0, "final", body)


RESULTS = [
    asset("agent", "bot", 1, history=[value("internal", 1, 4), value("internet", 5, 9)]),
    asset("tool", "old", 2, declared_from=DAY.format(4), observed_from=DAY.format(2)),
    asset("tool", "new", 6),
    edge("tool:old", 2, 7),
    edge("tool:new", 6),
    fact("1", "asset.state", "tool:old", 8),
    fact("2", "exposed", BOT, 3, 7),
    Result(
        "alert",
        "a",
        0,
        "final",
        {"system": "application:shop", "title": "It leaks", "stage": "watch"}
        | {"onset_time": DAY.format(7), "status": "open"},
    ),
]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    folder: Path = tmp_path_factory.mktemp("travel")
    store = Store(folder, finite=True)
    store.open(None)
    store.write(RESULTS)
    store.close()
    return Reader(folder / SNAPSHOT)


@pytest.mark.parametrize(
    ("day", "known"),
    [
        (1, [(BOT, False, False, "internal")]),
        (3, [(BOT, False, False, "internal"), ("tool:old", False, True, None)]),
        (
            6,
            [
                (BOT, False, False, "internet"),
                ("tool:new", False, False, None),
                ("tool:old", True, True, None),
            ],
        ),
        (8, [(BOT, False, False, "internet"), ("tool:new", False, False, None)]),
    ],
)
def test_things_are_as_they_were_known(reader: Reader, day: int, known: list[Any]) -> None:
    query = (
        "SELECT entity, declared, observed, attributes['asset.exposure'] FROM assets_as_of($1)"
        " ORDER BY entity"
    )
    rows = reader.run(query, [DAY.format(day)]).rows
    told = [
        (entity, declared, seen, value and value.strip('"'))
        for entity, declared, seen, value in rows
    ]
    assert told == known


def test_edges_are_as_they_held(reader: Reader) -> None:
    query = "SELECT to_entity FROM edges_as_of($1) ORDER BY ALL"
    held = {
        day: [to for (to,) in reader.run(query, [DAY.format(day)]).rows] for day in (1, 2, 6, 7)
    }
    assert held == {1: [], 2: ["tool:old"], 6: ["tool:new", "tool:old"], 7: ["tool:new"]}


def test_what_changed_is_told_with_its_time(reader: Reader) -> None:
    query = "SELECT day(time), what, change, entity, detail FROM changed($1, $2) ORDER BY ALL"
    assert reader.run(query, [DAY.format(4), DAY.format(9)]).rows == [
        (6, "asset", "appeared", "tool:new", "tool"),
        (6, "edge", "began", BOT, "uses tool:new"),
        (7, "alert", "began", "application:shop", "watch: It leaks"),
        (7, "edge", "ended", BOT, "uses tool:old"),
        (7, "fact", "closed", BOT, "exposed"),
        (8, "asset", "deleted", "tool:old", "tool"),
        (8, "fact", "opened", "tool:old", "asset.state deleted"),
        (None, "attribute", "changed", BOT, 'asset.exposure: "internal" -> "internet"'),
    ]
