"""Cases of convergences: what is known of a system, and the alert that it gives."""

from __future__ import annotations

from typing import Any

import pytest

from correlators.document import Document
from correlators.ruleset import Ruleset, parse
from infra.authoring.cases.convergences import failures

DETECTIONS = [
    f"title: {name}\nname: {name}\nlogsource: {{product: any}}\n"
    "detection: {s: {x: y}, condition: s}\n"
    for name in ("deployed", "probed")
]
STORY = """\
id: story
title: A weak model is probed
summary: Exposed, and somebody tries.
join: model
via: [model]
window: 1h
ttl: 2h
legs:
  weak: {class: posture, fact: exposed, on: model}
  probed: {class: runtime, of: [probed]}
actions:
  - {text: hide it, removes: [weak]}
"""
EXPOSED: dict[str, Any] = {"at": "0s", "fact": "exposed", "entity": "model:m1", "state": "open"}
PROBED: dict[str, Any] = {"at": "10m", "of": "probed", "entities": ["model:m1"]}
USES = {
    "at": "0s",
    "from": "application:shop",
    "relation": "uses",
    "to": "model:m1",
    "declared": True,
}


@pytest.fixture(scope="module")
def ruleset() -> Ruleset:
    texts = [*DETECTIONS, STORY]
    rules = parse(Document(f"{n}.yml", text) for n, text in enumerate(texts))
    assert rules.problems == ()
    return rules


def told(ruleset: Ruleset, system: str, peak: str, **stated: Any) -> list[str]:  # noqa: ANN401
    expect = {"system": system, "peak": peak}
    if "status" in stated:
        expect["status"] = stated.pop("status")
    case = {"facts": [EXPOSED], "signals": [PROBED], "until": "1h", "expect": expect}
    return list(failures(ruleset, "story", case | stated))


def test_a_case_that_holds_says_nothing(ruleset: Ruleset) -> None:
    assert told(ruleset, "model:m1", "watch", status="open") == []
    assert told(ruleset, "model:m1", "watch", status="expired", until="4h") == []
    assert told(ruleset, "model:m1", "none", signals=[]) == []
    assert told(ruleset, "model:m2", "none") == []


def test_edges_say_to_which_system_an_entity_belongs(ruleset: Ruleset) -> None:
    assert told(ruleset, "application:shop", "watch", edges=[USES]) == []
    assert told(ruleset, "model:m1", "none", edges=[USES]) == []


def test_a_fact_that_ends_takes_its_leg_along(ruleset: Ruleset) -> None:
    mended = EXPOSED | {"at": "5m", "state": "closed"}
    assert told(ruleset, "model:m1", "outlook", facts=[EXPOSED, mended]) == []
    mended = EXPOSED | {"at": "20m", "state": "closed"}
    assert told(ruleset, "model:m1", "watch", facts=[EXPOSED, mended], status="open") == []


def test_what_is_not_as_expected_is_said(ruleset: Ruleset) -> None:
    assert told(ruleset, "model:m1", "outlook") == [
        "the peak on model:m1 is watch, expected outlook"
    ]
    assert told(ruleset, "model:m1", "watch", status="expired") == [
        "the alert is open, expected expired"
    ]


def test_what_no_leg_takes_notice_of_proves_nothing(ruleset: Ruleset) -> None:
    for stated, expected in (
        (
            {"signals": [PROBED | {"of": "probd"}]},
            "signal 1 is of `probd`, which no leg of this story is of; did you mean `probed`?",
        ),
        (
            {"signals": [PROBED | {"of": "deployed"}]},
            "signal 1 is of `deployed`, which no leg of this story is of",
        ),
        (
            {"facts": [EXPOSED | {"fact": "exposd"}]},
            "fact 1 is `exposd`, which no leg of this story asks for; did you mean `exposed`?",
        ),
        (
            {"facts": [EXPOSED | {"state": "opn"}]},
            "`state` of fact 1 is open or closed, not 'opn'",
        ),
        (
            {"signals": [PROBED | {"entities": ["modl:m1"]}]},
            "`modl:m1` is no entity: write `kind:id`; did you mean `model`?",
        ),
        (
            {"signals": [PROBED | {"entities": "model:m1"}]},
            "`entities` of signal 1 is a list, not 'model:m1'",
        ),
        ({"signal": [PROBED]}, "the case has an unknown key `signal`"),
        ({"edges": [USES | {"decl": True}]}, "edge 1 has an unknown key `decl`"),
        (
            {"expect": {"system": "model:m1", "peek": "none"}},
            "`expect` has an unknown key `peek`; did you mean `peak`?",
        ),
    ):
        assert told(ruleset, "model:m1", "none", **stated)[0] == expected
    assert told(ruleset, "model:m1", "wtch") == [
        "`peak` is one of none, outlook, watch, warning, not 'wtch'"
    ]
    assert told(ruleset, "model:m2", "none", status="open") == [
        "without an alert (`peak: none`) there is no `status`"
    ]
