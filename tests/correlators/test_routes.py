"""Routes: who wants to know of a rule, and through which entities a signal reaches AI systems."""

from __future__ import annotations

from typing import Any

import pytest

from correlators.document import Document
from correlators.routes import Routes, carried
from correlators.ruleset import parse
from schemas.canonical import digest
from tests.correlators.stage import ZERO
from tests.correlators.stories import story

DETECTION = (
    "name: {0}\ntitle: Title of {0}\nlevel: {1}\ntags: [t.{0}]\nlogsource: {{product: x}}\n"
    "detection: {{s: {{a: b}}, condition: s}}\nbarograph: {{confidence: 0.755, family: fam}}"
)
CORRELATION = """
name: burst
title: Burst
level: high
correlation: {type: event_count, rules: [use], group-by: [user], timespan: 1m, condition: {gte: 2}}
"""
STORY = """
id: {0}
title: Story
summary: Something.
join: {1}
via: {2}
window: 1h
legs:
  leg: {{class: runtime, {3}}}
"""
RULES = parse(
    [
        Document("detections/use.yml", DETECTION.format("use", "medium")),
        Document("detections/other.yml", DETECTION.format("other", "critical")),
        Document("correlations/burst.yml", CORRELATION),
        Document("convergences/a.yml", STORY.format("a", "apikey", "[apikey]", "of: [use]")),
        Document("convergences/b.yml", STORY.format("b", "system", "[agent, model]", "of: [use]")),
        Document("convergences/c.yml", STORY.format("c", "system", "model", "levels: [critical]")),
    ]
)
ROUTES = Routes(RULES)
ENTITIES = ["model:m", "apikey:k", "agent:a", "agent:b"]


def about(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {
        "time": 5,
        "id": "signal-1",
        "signals": ["signal-1"],
        "evidence": [("event-1", ZERO)],
        "entities": ENTITIES,
        **more,
    }


def test_the_rules_are_as_they_should_be() -> None:
    assert RULES.problems == ()
    assert [rule.id for rule in ROUTES.feeds["use"]] == ["burst"]
    assert {id_: [(c.id, leg) for c, leg in legs] for id_, legs in ROUTES.legs.items()} == {
        "use": [("a", "leg"), ("b", "leg")],
        "other": [("c", "leg")],
    }


@pytest.mark.parametrize(
    ("via", "entities", "expected"),
    [
        (["agent", "model"], ENTITIES, ["agent:a", "agent:b"]),
        (["session", "model"], ENTITIES, ["model:m"]),
        (["model"], ["modelling:x", "model:y"], ["model:y"]),
        (["session"], ENTITIES, []),
    ],
)
def test_the_first_carrier_kind_that_is_named_carries(
    via: list[str], entities: list[str], expected: list[str]
) -> None:
    assert carried(story({"x": {"class": "runtime"}}, via=via), entities) == expected


def test_what_is_not_said_carries_by_the_join_entity() -> None:
    assert carried(story({"x": {"class": "runtime"}}), ENTITIES) == ["agent:a", "agent:b"]


def test_a_carrier_is_named_once_for_all_stories() -> None:
    assert ROUTES.carriers("use", ENTITIES) == ["apikey:k", "agent:a", "agent:b"]
    assert ROUTES.carriers("other", ENTITIES) == ["model:m"]
    assert ROUTES.carriers("burst", ENTITIES) == []


def test_a_leg_row_for_each_carrier() -> None:
    rows = list(ROUTES.leg_rows("use", about(), "signal"))
    assert [(row.topic, row.key, row.time, row.kind) for row in rows] == [
        ("attach", "apikey:k", 5, "signal"),
        ("attach", "agent:a", 5, "signal"),
        ("attach", "agent:b", 5, "signal"),
    ]
    assert {row.id for row in rows} == {digest("leg", "use", "signal-1")}
    assert rows[0].body == {
        "of": "use",
        "title": "Title of use",
        "level": "medium",
        "confidence": 755,
        "family": "fam",
        "tags": ["t.use"],
        "signals": ["signal-1"],
        "evidence": [["event-1", ZERO]],
        "entities": ENTITIES,
    }


def test_a_family_that_is_given_wins_and_a_finding_is_named() -> None:
    (row,) = ROUTES.leg_rows("other", about(family="CVE-2026-1"), "finding", finding="f")
    assert (row.kind, row.body["family"], row.body["finding"]) == ("finding", "CVE-2026-1", "f")


def test_what_no_story_asks_for_says_nothing() -> None:
    assert list(ROUTES.leg_rows("burst", about(), "finding")) == []
