"""Named queries about what the bundled scenario does not have, on a few records each."""

from pathlib import Path
from typing import Any

import pytest

from infra.reading.named import named
from infra.reading.reader import Reader
from schemas.rows import Result, ResultKind
from sinks.store import SNAPSHOT, Store

DAY = "2026-01-{:02}T12:00:00.000000Z"
KEY = {"kind": "apikey", "id": "AKIAEXAMPLE0001"}
IMAGE = "image:shop"


def result(kind: ResultKind, id_: str, **body: Any) -> Result:  # noqa: ANN401 - JSON
    return Result(kind, id_, 0, "final", body)


def call(uid: str, day: int, ip: str, *entities: dict[str, str], minute: int = 0) -> Result:
    time = DAY.format(day).replace("12:00", f"12:{minute:02}")
    more = {"activity": "InvokeModel", "status": "success", "client": {"ip": ip}}
    return result(
        "event", uid, uid=uid, time=time, source="cloudtrail", entities=[*entities], **more
    )


def fact(id_: str, day: int, name: str = "finding", **more: str) -> Result:
    body = {"entity": IMAGE, "name": name, "state": "open", "since": DAY.format(day)}
    return result("fact", id_, **(body | more))


def asset(kind: str, id_: str) -> Result:
    seen = {"first_seen": DAY.format(1), "last_seen": DAY.format(2)}
    return Result("asset", f"{kind}:{id_}", 0, "final", {"kind": kind, "id": id_, **seen})


def asked(folder: Path, name: str, results: list[Result], **given: str) -> list[tuple[Any, ...]]:
    store = Store(folder, finite=True)
    store.open(None)
    store.write(results)
    store.close()
    query = named(name)
    with Reader(folder / SNAPSHOT) as reader:
        return reader.run(query.sql, query.bound(given)).rows


def test_a_key_at_a_new_address(tmp_path: Path) -> None:
    calls = [
        call("1", 1, "198.51.100.1", KEY),
        call("2", 9, "198.51.100.1", KEY),
        call("3", 9, "203.0.113.9", KEY),
        call("4", 10, "203.0.113.9", KEY),
        call("5", 10, "192.0.2.1", {"kind": "apikey", "id": "AKIAEXAMPLE0002"}),
    ]
    rows = asked(tmp_path, "new_places", calls, since="7d")
    assert [(row[0], row[1], row[5], row[6], row[7]) for row in rows] == [
        ("apikey:AKIAEXAMPLE0001", "203.0.113.9", 2, 1, ["InvokeModel"])
    ]


def test_a_statement_waives_a_weakness(tmp_path: Path) -> None:
    facts = [
        fact("1", 1, vulnerability="CVE-2026-1", severity="high", tool="trivy", instance="x"),
        fact("2", 2, "vex", instance="CVE-2026-1", tool="openvex", title="not affected"),
    ]
    rows = asked(tmp_path, "waivers", facts)
    assert [(*row[:3], *row[4:]) for row in rows] == [
        (IMAGE, "CVE-2026-1", "high", "openvex", "not affected")
    ]


def test_two_scanners_say_one_weakness(tmp_path: Path) -> None:
    facts = [
        fact("1", 1, vulnerability="CVE-2026-1", severity="high", tool="trivy", package="ray"),
        fact("2", 2, vulnerability="CVE-2026-1", severity="low", tool="grype", package="ray"),
    ]
    assert asked(tmp_path, "folded", facts) == [
        (IMAGE, "CVE-2026-1", "open", 2, 2, ["grype", "trivy"], ["ray"])
    ]


def test_one_thing_under_two_names(tmp_path: Path) -> None:
    same = {"from": "model:a", "relation": "same_as", "to": "model:b", "declared": True}
    edge = result("edge", "e", **same, valid_from=DAY.format(1), last_seen=DAY.format(1))
    rows = asked(tmp_path, "names", [asset("model", "a"), asset("model", "b"), edge])
    assert [row[:3] for row in rows] == [("model:a", "model", ["model:a", "model:b"])]


@pytest.mark.parametrize(("within", "tools"), [("10m", ["tool:send"]), ("1m", [])])
def test_a_tool_is_called_after_an_injection(tmp_path: Path, within: str, tools: list[str]) -> None:
    session, tool = {"kind": "session", "id": "s"}, {"kind": "tool", "id": "send"}
    before = call("1", 1, "192.0.2.1", tool, session)
    after = call("2", 1, "192.0.2.1", tool, session, minute=9)
    later = call("3", 2, "192.0.2.1", tool, session)
    body = {"time": DAY.format(1).replace("12:00", "12:01"), "event": "0", "entities": [session]}
    seen = {"detection": "blocked", "level": "low", "tags": ["atlas.aml-t0051.000"]}
    signal = result("signal", "g", **body, **seen)
    rows = asked(tmp_path, "after_injection", [before, after, later, signal], within=within)
    assert [row[5] for row in rows] == tools


def test_a_forecast_that_came_true_counts_in_its_bin(tmp_path: Path) -> None:
    said = [("1", 0.81, "hit"), ("2", 0.89, "false_alarm"), ("3", 1.0, "hit"), ("4", 0.5, "open")]
    forecasts = [result("forecast", n, probability=p, outcome=o) for n, p, o in said]
    assert asked(tmp_path, "reliability", forecasts) == [
        (0.8, 0.9, 2, 0.85, 0.5, -0.35),
        (0.9, 1.0, 1, 1.0, 1.0, 0.0),
    ]


def test_what_is_taken_back_is_told(tmp_path: Path) -> None:
    body = {"title": "It burst", "last_time": DAY.format(3), "meta": {"revision": 2}}
    finding = Result("finding", "f", 0, "withdrawn", body)
    assert [row[:3] for row in asked(tmp_path, "withdrawn", [finding])] == [
        ("finding", "f", "It burst")
    ]
