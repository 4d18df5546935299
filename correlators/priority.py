"""Priority: gives the alerts of a batch their ledger, priority, confidence and actions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from correlators.alerting import Draft
from correlators.evidence import SHOWN, listed
from correlators.ledger import Case, Change, counterfactual, ledger, value
from correlators.score import confidence, totals
from schemas.canonical import body_sha256
from schemas.convergence import Convergence
from schemas.rows import Result

_DRAFT = msgspec.json.Decoder(Draft)


def complete(results: list[Result], convergences: Mapping[str, Convergence]) -> list[Result]:
    """Results with whole alert bodies, in the order given; one frame for the batch. Pure."""
    drafts = [(n, result.body) for n, result in enumerate(results) if result.kind == "alert"]
    if not drafts:
        return results
    cases = [_case(draft) for _, draft in drafts]
    changes = [
        [
            Change(str(n), frozenset(a.removes))
            for n, a in enumerate(convergences[draft["convergence"]].actions)
        ]
        for _, draft in drafts
    ]
    frame = ledger(cases)
    ledgers: list[list[dict[str, Any]]] = [[] for _ in cases]
    for row in frame.iter_rows(named=True):
        ledgers[row["alert"]].append(_term(row, cases[row["alert"]]))
    prices = totals(frame)["priority"].to_list()
    reliefs = counterfactual(cases, changes)
    done = list(results)
    for place, (n, draft) in enumerate(drafts):
        actions = convergences[draft["convergence"]].actions
        body = {k: v for k, v in draft.items() if k != "draft"}
        families = {s.family: s.confidence for s in cases[place].strands}
        body["priority"] = prices[place]
        body["confidence"] = confidence(families.values()) / 1000
        body["why"] = ledgers[place]
        body["actions"] = [
            {"text": action.text, "effect": f"priority {prices[place]} -> {relief.priority}"}
            | ({"control": action.control} if action.control else {})
            for relief in reliefs[place]
            if (action := actions[int(relief.change.name)])
        ]
        body["body_sha256"] = body_sha256(body)
        result = results[n]
        done[n] = Result(result.kind, result.id, result.time, result.state, body)
    return done


def _case(body: Mapping[str, Any]) -> Case:
    draft = _DRAFT.decode(body["draft"])
    standing, around = draft.standing, draft.surroundings
    return Case(
        draft.at,
        standing.strands,
        standing.walked,
        draft.likely,
        around.exposure,
        around.data,
        around.criticality,
    )


def _term(row: Mapping[str, Any], case: Case) -> dict[str, Any]:
    strand = None if row["strand"] is None else case.strands[row["strand"]]
    evidence = listed(getattr(strand, "evidence", ())[:SHOWN])
    return {
        "term": row["term"],
        "value": value(row["points"], row["weight"]),
        "weight": row["weight"],
        "points": row["points"],
        "evidence": evidence,
    }
