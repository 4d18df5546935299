"""Cases of habits: what was seen, and the signals that it gives."""

from __future__ import annotations

from typing import Any

import pytest

from correlators.document import Document
from correlators.ruleset import Ruleset, parse
from infra.authoring.cases.habits import failures, missing

RULE = """\
title: new tool
name: new
logsource: {product: barograph}
detection: {s: {activity: call}, condition: s}
barograph: {habit: {type: first_seen, by: agent, of: tool, learning: 1d}}
"""
USUAL = {"at": "0d", "until": "2d", "every": "6h", "fields": {"agent": "Desk", "tool": "read"}}
NEW = {"at": "25h", "times": 3, "fields": {"agent": "desk", "tool": "pay"}}


@pytest.fixture(scope="module")
def ruleset() -> Ruleset:
    rules = parse([Document("r.yml", RULE)])
    assert rules.problems == ()
    return rules


def told(ruleset: Ruleset, seen: list[dict[str, Any]], *signals: dict[str, Any]) -> list[str]:
    return list(failures(ruleset, "new", {"seen": seen, "signals": list(signals)}))


def test_a_series_that_holds_says_nothing(ruleset: Ruleset) -> None:
    assert told(ruleset, [USUAL, NEW], {"at": "25h", "fields": {"tool": "PAY"}}) == []
    assert told(ruleset, [USUAL, NEW], {"at": 90000}) == []
    assert told(ruleset, [USUAL]) == []


def test_what_is_missing_and_what_is_too_much(ruleset: Ruleset) -> None:
    assert told(ruleset, [USUAL, NEW]) == [
        "a signal that is not expected: of agent=desk, tool=pay at 25h"
    ]
    assert told(ruleset, [USUAL], {"at": "25h", "fields": {"tool": "pay"}}) == [
        "no signal of tool=pay at 25h"
    ]


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        ({"at": "soon"}, "`at` of what is seen 1 is no time: "),
        ({"fields": {"agent": "a", "tol": "b"}}, "(it has `tol`)"),
        ({"fields": {"agent": "a"}}, "(`tool: null` if that is meant)"),
        ({"every": "1h"}, "what is seen 1 needs `until` and `every`, or neither"),
        ({"every": "0s", "until": "1h"}, "`every` of what is seen 1 is longer than nothing"),
        ({"times": 0}, "`times` of what is seen 1 is a whole number from 1, not 0"),
        ({"fields": 5}, "`fields` of what is seen 1 is a mapping, not 5"),
        ({"after": "1h"}, "what is seen 1 has an unknown key `after`"),
        ({"times": 200_000}, "the case has 100,001 matches, and 100,000 are enough"),
    ],
)
def test_a_case_that_would_prove_nothing_is_a_failure(
    ruleset: Ruleset, seen: dict[str, Any], said: str
) -> None:
    one = {"at": "0d", "fields": {"agent": "desk", "tool": "read"}} | seen
    assert said in told(ruleset, [one])[0]


def test_a_case_may_be_one_of_the_selection(ruleset: Ruleset) -> None:
    case = {"source": "normal", "event": {"activity": "call"}, "match": True}
    assert list(failures(ruleset, "new", case)) == []
    assert list(failures(ruleset, "new", case | {"match": False})) == ["matches"]


def test_a_rule_needs_cases_of_each_kind() -> None:
    match = {"source": "normal", "event": {}, "match": True}
    spoken: dict[str, Any] = {"seen": [], "signals": [{"at": 0}]}
    silent: dict[str, Any] = {"seen": [], "signals": []}
    assert list(missing([match, match | {"match": False}, spoken, silent])) == []
    assert list(missing([match, spoken])) == [
        "no case that does not match",
        "no series that gives none (`signals: []`)",
    ]
    assert "no series that gives a signal" in list(missing([match, silent]))
