"""Cases of convergences: signals, facts and edges at offsets, and the alert that they give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

from correlators.keyed import Keyed
from correlators.routes import Routes
from correlators.ruleset import Ruleset
from infra.authoring.cases.offsets import START, offset
from infra.authoring.cases.shape import Keys, called, ids, near, wrong_each
from schemas.alert import AlertStatus
from schemas.canonical import digest
from schemas.entity import KINDS
from schemas.rows import Delete, Result, Row, Tick
from schemas.times import END
from schemas.topics import FACTS
from streams.topology import INGEST, build, partition_of, stage_of

CASE: Final = Keys(("until", "expect"), ("signals", "facts", "edges"))
EXPECT: Final = Keys(("system", "peak"), ("status",))
SIGNAL: Final = Keys(("at", "of", "entities"), ("family",))
FACT: Final = Keys(("at", "fact", "entity", "state"), ("instance", "severity", "family"))
EDGE: Final = Keys(("at", "from", "relation", "to"), ("declared", "state"))
STAGES: Final = ("none", "outlook", "watch", "warning")


def failures(ruleset: Ruleset, rule: str, case: Mapping[str, Any]) -> Iterator[str]:
    """What is not as the case says; nothing if all is well.

    A case: `signals` [{at, of, entities, family?}], `facts` [{at, fact, entity, state}], `edges`
    [{at, from, relation, to, declared}], `until`, and `expect` {system, peak, status?}: the peak
    stage (none, outlook, watch, warning) of all alerts of `rule` on that system, and the status of
    the last one. What is said of rules, facts and entities must be there and of use to `rule`.
    """
    if wrong := [*_misshapen(case)] or [*_idle(ruleset, rule, case)]:
        yield from wrong
        return
    routes = Routes(ruleset)
    rows = [*_edges(case), *_facts(case), *_signals(routes, ids(ruleset), case)]
    expect = case["expect"]
    alerts = [
        result.body
        for result in _run(ruleset, routes, rows, START + offset(case["until"]))
        if result.kind == "alert"
        and result.state == "final"
        and (result.body["system"], result.body["convergence"]) == (expect["system"], rule)
    ]
    peak = max((alert["peak_stage"] for alert in alerts), key=STAGES.index, default="none")
    if peak != expect["peak"]:
        yield f"the peak on {expect['system']} is {peak}, expected {expect['peak']}"
    elif "status" in expect and alerts:
        last = max(alerts, key=lambda alert: alert["onset_time"])
        if last["status"] != expect["status"]:
            yield f"the alert is {last['status']}, expected {expect['status']}"


def _misshapen(case: Mapping[str, Any]) -> Iterator[str]:
    yield from CASE.wrong(case, "the case")
    yield from wrong_each(case, "signals", "signal", SIGNAL)
    yield from wrong_each(case, "facts", "fact", FACT)
    yield from wrong_each(case, "edges", "edge", EDGE)
    if "expect" in case:
        yield from EXPECT.wrong(case["expect"], "`expect`")


def _idle(ruleset: Ruleset, rule: str, case: Mapping[str, Any]) -> Iterator[str]:
    """What the story could not take notice of, or never be."""
    expect = case["expect"]
    statuses = get_args(AlertStatus)
    for key, known in (("peak", STAGES), ("status", statuses)):
        if key in expect and expect[key] not in known:
            yield f"`{key}` is one of {', '.join(known)}, not {expect[key]!r}"
    if expect["peak"] == "none" and "status" in expect:
        yield "without an alert (`peak: none`) there is no `status`"
    yield from _useless(ruleset, rule, case)
    entities = [expect["system"]]
    entities += [fact["entity"] for fact in case.get("facts", ())]
    entities += [edge[end] for edge in case.get("edges", ()) for end in ("from", "to")]
    for number, signal in enumerate(case.get("signals", ()), 1):
        if isinstance(signal["entities"], list):
            entities += signal["entities"]
        else:
            yield f"`entities` of signal {number} is a list, not {signal['entities']!r}"
    for entity in dict.fromkeys(map(str, entities)):
        kind, _, id_ = entity.partition(":")
        if kind not in KINDS or not id_:
            yield f"`{entity}` is no entity: write `kind:id`{near(kind, KINDS)}"


def _useless(ruleset: Ruleset, rule: str, case: Mapping[str, Any]) -> Iterator[str]:
    """The signals and facts of which no leg is."""
    story = next(one for one in ruleset.convergences if one.id == rule)
    names, about = ids(ruleset), Routes(ruleset).about
    of = dict.fromkeys(id_ for leg in story.legs.values() for id_ in leg.of)
    if any(leg.levels for leg in story.legs.values()):
        of = dict.fromkeys(about)
    for number, signal in enumerate(case.get("signals", ()), 1):
        stated = str(signal["of"])
        if names.get(stated, stated) not in of:
            hint = near(stated, called(names, of))
            yield f"signal {number} is of `{stated}`, which no leg of this story is of{hint}"
    for number, fact in enumerate(case.get("facts", ()), 1):
        if fact["fact"] not in story.facts:
            hint = near(str(fact["fact"]), story.facts)
            yield f"fact {number} is `{fact['fact']}`, which no leg of this story asks for{hint}"
        if fact["state"] not in {"open", "closed"}:
            yield f"`state` of fact {number} is open or closed, not {fact['state']!r}"


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


def _signals(routes: Routes, names: Mapping[str, str], case: Mapping[str, Any]) -> Iterator[Row]:
    for n, signal in enumerate(case.get("signals", ())):
        rule = routes.about[names.get(signal["of"], signal["of"])]
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
            if type(output) is Result:
                yield output
            elif type(output) is Tick:
                _tell(stages, inbox, output)
            else:
                inbox[f"{stage_of(output)}/{partition_of(output.key, 1)}"].append(output)


def _tell(
    stages: Mapping[str, Keyed], inbox: dict[str, list[Row | Delete | Tick]], tick: Tick
) -> None:
    for name, stage in stages.items():
        if tick.input in stage.clock.ticks:
            inbox[name].append(tick)
