"""Priority: gives the alerts of a batch their ledger, priority, confidence and actions."""

# pyright: reportUnknownMemberType=false
# Polars annotates its arguments with types of packages that are not installed here.

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from correlators import plain
from correlators.alerting import Draft
from correlators.evidence import SHOWN, listed
from correlators.ledger import Case, Change, Relief, counterfactual, ledger, value
from correlators.plain import Line
from correlators.score import confidence, priority, totals
from schemas.canonical import body_sha256
from schemas.convergence import Convergence, RuleAction
from schemas.rows import Result

FEW = 50  # alerts, below which a frame costs more than it saves

_Done = tuple[Sequence[Sequence[Line]], Sequence[int], Sequence[Sequence[Relief]]]

_DRAFT = msgspec.json.Decoder(Draft)


def complete(results: list[Result], convergences: Mapping[str, Convergence]) -> list[Result]:
    """Results with whole alert bodies, in the order given; one frame for a large batch. Pure."""
    places = [n for n, result in enumerate(results) if result.kind == "alert"]
    if not places:
        return results
    bodies = [results[n].body for n in places]
    cases = [_case(body) for body in bodies]
    actions = [convergences[body["convergence"]].actions for body in bodies]
    changes = [_changes(some) for some in actions]
    ledgers, prices, reliefs = (_plainly if len(cases) <= FEW else _framed)(cases, changes)
    done = list(results)
    for place, n in enumerate(places):
        families = {strand.family: strand.confidence for strand in cases[place].strands}
        body = {k: v for k, v in bodies[place].items() if k != "draft"} | {
            "priority": prices[place],
            "confidence": confidence(families.values()) / 1000,
            "why": [_term(line, cases[place]) for line in ledgers[place]],
            "actions": [
                _action(actions[place], prices[place], relief) for relief in reliefs[place]
            ],
        }
        body["body_sha256"] = body_sha256(body)
        done[n] = msgspec.structs.replace(results[n], body=body)
    return done


def _changes(actions: Sequence[RuleAction]) -> list[Change]:
    """What each action would end; a change is named by the place of its action."""
    return [Change(str(n), frozenset(action.removes)) for n, action in enumerate(actions)]


def _action(actions: Sequence[RuleAction], priority: int, relief: Relief) -> dict[str, str]:
    action = actions[int(relief.change.name)]
    said = {"text": action.text, "effect": f"priority {priority} -> {relief.priority}"}
    return said | ({"control": action.control} if action.control else {})


def _case(body: Mapping[str, Any]) -> Case:
    draft = _DRAFT.decode(body["draft"])
    standing, around = draft.standing, draft.surroundings
    return Case(
        at=draft.at,
        strands=standing.strands,
        walked=standing.walked,
        likely=draft.likely,
        exposure=around.exposure,
        data=around.data,
        criticality=around.criticality,
    )


def _plainly(cases: Sequence[Case], changes: Sequence[Sequence[Change]]) -> _Done:
    ledgers = [plain.lines(case) for case in cases]
    reliefs = [plain.counterfactual(*one) for one in zip(cases, changes, strict=True)]
    return ledgers, [priority(plain.total(one)) for one in ledgers], reliefs


def _framed(cases: Sequence[Case], changes: Sequence[Sequence[Change]]) -> _Done:
    frame = ledger(cases)
    ledgers: list[list[Line]] = [[] for _ in cases]
    wanted = frame.select("alert", "term", "weight", "points", "strand")
    rows: Iterator[tuple[int, str, int, int, int | None]] = wanted.iter_rows()
    for alert, term, weight, points, strand in rows:
        ledgers[alert].append(Line(term, weight, points, strand))
    return ledgers, totals(frame)["priority"].to_list(), counterfactual(cases, changes)


def _term(line: Line, case: Case) -> dict[str, Any]:
    """A line of the ledger, as a body lists it."""
    evidence = () if line.strand is None else case.strands[line.strand].evidence[:SHOWN]
    return {
        "term": line.term,
        "value": value(line.points, line.weight),
        "weight": line.weight,
        "points": line.points,
        "evidence": listed(evidence),
    }
