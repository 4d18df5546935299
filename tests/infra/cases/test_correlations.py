"""Cases of correlations: hits and the episodes that they give."""

from __future__ import annotations

from typing import Any

import pytest

from correlators.document import Document
from correlators.ruleset import Ruleset, parse
from infra.cases.correlations import failures

RULE = """\
title: guessing
name: guessing
correlation:
  type: event_count
  rules: [failed]
  group-by: [user]
  timespan: 10m
  condition: {gte: 2}
"""
HITS = [
    {"at": "5m", "of": "failed", "fields": {"user": "Ann"}},
    {"at": "0s", "of": "failed", "fields": {"user": "ann"}},
    {"at": "1m", "of": "failed", "fields": {"user": "bob"}},
]


@pytest.fixture(scope="module")
def ruleset() -> Ruleset:
    rules = parse([Document("r.yml", RULE)], external=True)
    assert rules.problems == ()
    return rules


def told(ruleset: Ruleset, *episodes: dict[str, Any]) -> list[str]:
    return list(failures(ruleset, "guessing", {"hits": HITS, "episodes": list(episodes)}))


def test_a_case_that_holds_says_nothing(ruleset: Ruleset) -> None:
    assert told(ruleset, {"group": {"user": "ANN"}, "onset": "5m", "last": "5m"}) == []


def test_what_is_missing_and_what_is_too_much_is_said(ruleset: Ruleset) -> None:
    assert told(ruleset) == [
        (
            "an episode that is not expected: of {'user': 'ann'}"
            " from 2026-01-05T12:05:00.000000Z to 2026-01-05T12:05:00.000000Z"
        )
    ]
    assert told(ruleset, {"group": {"user": "ann"}, "onset": "1m", "last": "5m"})[0] == (
        "no episode of {'user': 'ann'}"
        " from 2026-01-05T12:01:00.000000Z to 2026-01-05T12:05:00.000000Z"
    )


def test_a_case_of_absence_says_how_far_time_passes() -> None:
    text = RULE.replace("[failed]", "[deployed, approved]").replace("event_count", "temporal")
    rule = text.replace("{gte: 2}", "deployed and not approved")
    rules = parse([Document("r.yml", rule)], external=True)
    hits = [{"at": "1m", "of": "deployed", "fields": {"user": "ann"}}]
    episode = {"group": {"user": "ann"}, "onset": "1m", "last": "1m"}
    case = {"hits": hits, "until": "12m", "episodes": [episode]}
    assert list(failures(rules, "guessing", case)) == []
    assert list(failures(rules, "guessing", case | {"until": "11m", "episodes": []})) == []
    approved = {"at": "11m", "of": "approved", "fields": {"user": "ann"}}
    assert (
        list(failures(rules, "guessing", case | {"hits": [*hits, approved], "episodes": []})) == []
    )
