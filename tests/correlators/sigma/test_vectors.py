"""The behaviour vectors of the Sigma language: one statement of the specification each."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from correlators.correlate import hit_row
from correlators.document import Document
from correlators.keyed import Keyed
from correlators.routes import Routes
from correlators.ruleset import Ruleset, parse
from correlators.sigma.values import lookup
from schemas.canonical import digest
from schemas.rows import Delete, Output, Result, Row, Tick
from schemas.times import END, SECOND, duration
from schemas.times import parse as parse_time
from streams.topology import INGEST, levels

# Correlations whose qualifying times are told later than they are: absence must be awaited.
AWAITED = {"cor-54"}

START = parse_time("2026-07-01T00:00:00Z")
BASE: list[dict[str, Any]] = [
    {
        "title": f"base {name}",
        "name": name,
        "id": f"aaaaaaaa-0000-4000-8000-00000000000{number}",
        "logsource": {"product": "test"},
        "detection": {"s": {"A": number}, "condition": "s"},
    }
    for number, name in enumerate(("ra", "rb", "rc"), 1)
]
FILTERED = {
    "title": "filtered",
    "name": "frule",
    "id": "f0000000-0000-4000-8000-000000000001",
    "logsource": {"product": "test"},
    "detection": {"s": {"A": 1}, "condition": "s"},
}


@pytest.fixture(scope="module")
def vectors(shared: Path) -> list[dict[str, Any]]:
    text = (shared / "vectors" / "sigma_vectors.yaml").read_text("utf-8")
    found: list[dict[str, Any]] = yaml.load(text, yaml.CSafeLoader)
    assert len(found) == 210
    return found


def loaded(*documents: dict[str, Any]) -> Ruleset:
    text = "---\n".join(yaml.safe_dump(d, allow_unicode=True) for d in documents)
    return parse([Document("vector.yml", text)])


def judged(ruleset: Ruleset, vector: dict[str, Any]) -> list[str]:
    """What differs from the vector, for the last rule of the set."""
    problems = [str(problem) for problem in ruleset.problems]
    if vector.get("expect") == "reject":
        return [] if problems else ["is accepted"]
    if problems:
        return problems
    rule = ruleset.rules[-1]
    cases = vector["cases"]
    return [str(case) for case in cases if rule.matches(case["event"]) is not case["match"]]


def met(vectors: list[dict[str, Any]], kind: str, documents: Any) -> dict[str, list[str]]:  # noqa: ANN401 - a function of one
    found = {v["id"]: judged(loaded(*documents(v)), v) for v in vectors if kind in v}
    return {id_: differences for id_, differences in found.items() if differences}


def test_all_vectors_of_detections_are_met(vectors: list[dict[str, Any]]) -> None:
    def documents(vector: dict[str, Any]) -> list[dict[str, Any]]:
        detection = vector["detection"]
        return [{"title": "t", "logsource": {"product": "test"}, "detection": detection}]

    assert sum("detection" in v for v in vectors) == 148
    assert met(vectors, "detection", documents) == {}


def test_all_vectors_of_filters_are_met(vectors: list[dict[str, Any]]) -> None:
    def documents(vector: dict[str, Any]) -> list[dict[str, Any]]:
        about = {"title": "f", "logsource": vector["logsource"], "filter": vector["filter"]}
        return [about, FILTERED]

    assert sum("filter" in v for v in vectors) == 6
    assert met(vectors, "filter", documents) == {}


def correlated(vector: dict[str, Any]) -> Ruleset:
    """The base rules, the vector's own, its correlation `the` and one that sees it qualify."""
    stated = vector["correlation"]
    about = {"title": "t", "name": "the", "correlation": stated}
    if "generate" in vector:
        about["generate"] = vector["generate"]
    probe = {"type": "temporal", "rules": ["the"], "timespan": "1s"}
    if "group-by" in stated:
        probe["group-by"] = stated["group-by"]
    seen = {"title": "p", "name": "probe", "correlation": probe}
    return loaded(*BASE, *vector.get("extra_rules", ()), about, seen)


def hits(ruleset: Ruleset, vector: dict[str, Any]) -> Iterator[Row]:
    """What the detections make of the events, in their order of arrival."""
    routes, events = Routes(ruleset), vector["events"]
    for place in vector.get("arrival_order", range(len(events))):
        event, time = events[place]["event"], START + events[place]["t"] * SECOND
        uid = str(event.get("id", place))
        for rule in ruleset.rules:
            if rule.matches(event):
                id_ = rule.detection.id
                about = {"time": time, "id": digest("signal", id_, uid), "event": uid}
                fields = {field: lookup(event, field) for field in rule.detection.fields}
                rows = (hit_row(to, fields, id_, about, "hit") for to in routes.feeds.get(id_, ()))
                yield from (row for row in rows if row is not None)


def said(ruleset: Ruleset, rows: Iterable[Row], end: int) -> Iterator[Output]:
    """What the stages say, one row at a time, until time has passed to `end`."""
    stages: list[Keyed] = []
    for level in levels(ruleset, Routes(ruleset)):
        feeders = [INGEST, *(lower.me for lower in stages)]
        stages.append(Keyed(level.logic, level.name, level.level, feeders))
    last: list[Row | Tick] = [*rows, Tick(INGEST, 0, END, end)]
    for record in last:
        coming: list[Row | Delete | Tick] = [record]
        for stage in stages:
            mine = [one for one in coming if isinstance(one, Tick) or one.level == stage.level]
            changes, outputs = stage.step(mine)
            stage.apply(changes)
            coming += [one for one in outputs if not isinstance(one, Result)]
            yield from outputs


def group(body: dict[str, Any]) -> str:
    return "/".join(body["group"].values())


def ended(vector: dict[str, Any]) -> list[tuple[str, int, int]]:
    """The episodes that the qualifying events form: gaps of at most one timespan."""
    span, found = duration(vector["correlation"]["timespan"]), list[tuple[str, int, int]]()
    for alert in sorted(vector["alerts"], key=lambda alert: (alert["group"], alert["t"])):
        time = START + alert["t"] * SECOND
        if found and found[-1][0] == alert["group"] and time - found[-1][2] <= span:
            found[-1] = (*found[-1][:2], time)
        else:
            found.append((alert["group"], time, time))
    return found


def test_all_vectors_of_correlations_are_met(vectors: list[dict[str, Any]]) -> None:
    ran: list[str] = []
    for vector in (vector for vector in vectors if "correlation" in vector):
        ruleset = correlated(vector)
        ran.append(vector["id"])
        if vector.get("expect") == "reject":
            assert ruleset.problems, vector["id"]
            continue
        assert ruleset.problems == (), vector["id"]
        end = START + max(event["t"] for event in vector["events"]) * SECOND
        outputs = list(said(ruleset, hits(ruleset, vector), end))
        results = [one for one in outputs if isinstance(one, Result) and one.state == "final"]
        bodies = [one.body for one in results if one.body["rule"] == "the"]
        assert sorted(
            (group(body), parse_time(body["onset_time"]), parse_time(body["last_time"]))
            for body in bodies
        ) == ended(vector), vector["id"]
        rows: dict[str, Row] = {}
        for one in outputs:
            if isinstance(one, Row) and one.level == ruleset.levels:
                rows[one.id] = one
            elif isinstance(one, Delete) and one.level == ruleset.levels:
                del rows[one.id]
        told = sorted(("/".join(json.loads(row.key)[1:]), row.time) for row in rows.values())
        assert (vector["id"] in AWAITED) or told == sorted(
            (alert["group"], START + alert["t"] * SECOND) for alert in vector["alerts"]
        ), vector["id"]
        if "base_hits_of_ra" in vector:
            alone = [e for e in vector["events"] if ruleset.rules[0].matches(e["event"])]
            heard = [] if BASE[0]["id"] in ruleset.silent else alone
            assert len(heard) == vector["base_hits_of_ra"]
    assert ran == [f"cor-{n:02d}" for n in range(1, 57)]


def test_every_disagreement_with_a_peer_is_in_the_docs(vectors: list[dict[str, Any]]) -> None:
    page = (Path(__file__).parents[3] / "docs" / "sigma-semantics.md").read_text("utf-8")
    told = page.partition("## Where others do otherwise")[2]
    rsigma, sqlite = told.split("\n\npySigma ")
    for text, names in (
        (rsigma, ("rsigma", "rsigma_eval_0.26_lib")),
        (sqlite, ("pysigma_sqlite", "pysigma_2.0.1_sqlite_2.1.1")),
    ):
        engines = {v["id"]: v["engines"] for v in vectors}
        expected = {
            id_
            for id_, said in engines.items()
            if {said.get(n, "agree") for n in names} != {"agree"}
        }
        assert set(re.findall(r"\b[a-z]{2,3}-\d\d\b", text)) == expected
