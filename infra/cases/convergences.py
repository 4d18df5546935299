"""Cases of convergences: signals, facts and edges at offsets, and the alert that they give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from correlators.keyed import Keyed
from correlators.routes import Routes
from correlators.ruleset import Ruleset
from infra.cases.offsets import START, offset
from schemas.canonical import digest
from schemas.rows import Delete, Result, Row, Tick
from schemas.times import END
from schemas.topics import FACTS
from streams.topology import INGEST, build, partition_of, stage_of


def failures(ruleset: Ruleset, rule: str, case: Mapping[str, Any]) -> Iterator[str]:
    """What is not as the case says; nothing if all is well.

    A case: `signals` [{at, of, entities, family?}], `facts` [{at, fact, entity, state}], `edges`
    [{at, from, relation, to, declared}], `until`, and `expect` {system, peak, status?}: the peak
    stage (none, outlook, watch, warning) of all alerts of `rule` on that system, and the status of
    the last one.
    """
    routes = Routes(ruleset)
    rows = [*_edges(case), *_facts(case), *_signals(routes, case)]
    expect = case["expect"]
    alerts = [
        result.body
        for result in _run(ruleset, routes, rows, START + offset(case["until"]))
        if result.kind == "alert"
        and result.state == "final"
        and (result.body["system"], result.body["convergence"]) == (expect["system"], rule)
    ]
    order = ["none", "outlook", "watch", "warning"]
    peak = max((alert["peak_stage"] for alert in alerts), key=order.index, default="none")
    if peak != expect["peak"]:
        yield f"the peak on {expect['system']} is {peak}, expected {expect['peak']}"
    elif "status" in expect and alerts:
        last = max(alerts, key=lambda alert: alert["onset_time"])
        if last["status"] != expect["status"]:
            yield f"the alert is {last['status']}, expected {expect['status']}"


def _edges(case: Mapping[str, Any]) -> Iterator[Row]:
    for n, edge in enumerate(case.get("edges", ())):
        at = START + offset(edge["at"])
        body = {
            "relation": edge["relation"],
            "to": edge["to"],
            "declared": edge.get("declared", False),
            "state": edge.get("state", "open"),
            "at": at,
        }
        yield Row(FACTS, 0, edge["from"], at, f"edge-{n}", "edge", body)


def _facts(case: Mapping[str, Any]) -> Iterator[Row]:
    for n, fact in enumerate(case.get("facts", ())):
        at = START + offset(fact["at"])
        body = {
            "name": fact["fact"],
            "instance": str(fact.get("instance", "")),
            "state": fact["state"],
            "severity": fact.get("severity", "high"),
            "confidence": 700,
            "title": fact["fact"],
            "family": fact.get("family", fact["fact"]),
            "tags": [],
            "tool": "case",
            "at": at,
            "evidence": [[f"fact-{n}", "0" * 64]],
        }
        yield Row(FACTS, 0, fact["entity"], at, f"fact-{n}", "fact", body)


def _signals(routes: Routes, case: Mapping[str, Any]) -> Iterator[Row]:
    for n, signal in enumerate(case.get("signals", ())):
        rule = routes.about[signal["of"]]
        about = {
            "time": START + offset(signal["at"]),
            "id": digest("case", n),
            "signals": [f"signal-{n}"],
            "evidence": [[f"event-{n}", "0" * 64]],
            "entities": signal["entities"],
            "family": signal.get("family", rule.family),
        }
        yield from routes.leg_rows(rule.id, about, "signal")


def _run(ruleset: Ruleset, routes: Routes, rows: list[Row], until: int) -> Iterator[Result]:
    stages = build(ruleset, routes, {INGEST: None}, 1)
    inbox: dict[str, list[Row | Delete | Tick]] = {name: [] for name in stages}
    for row in rows:
        inbox[f"{stage_of(row)}/{partition_of(row.key, 1)}"].append(row)
    _tell(stages, inbox, Tick(INGEST, 0, END, until))
    for name, stage in stages.items():
        changes, outputs = stage.step(inbox[name])
        stage.apply(changes)
        for output in outputs:
            if isinstance(output, Result):
                yield output
            elif isinstance(output, Tick):
                _tell(stages, inbox, output)
            else:
                inbox[f"{stage_of(output)}/{partition_of(output.key, 1)}"].append(output)


def _tell(
    stages: Mapping[str, Keyed], inbox: dict[str, list[Row | Delete | Tick]], tick: Tick
) -> None:
    for name, stage in stages.items():
        if tick.input in stage.clock.ticks:
            inbox[name].append(tick)
