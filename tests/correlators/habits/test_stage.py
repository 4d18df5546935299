"""Habits in their rules: what a rule may say, and what becomes of a departure."""

from __future__ import annotations

from typing import Any

import pytest

from correlators.document import Document
from correlators.habits.observed import row
from correlators.habits.stage import Habits
from correlators.routes import Routes
from correlators.ruleset import Ruleset, parse
from schemas.finding import Signal
from schemas.rows import Delete, Row
from schemas.times import DAY, HOUR
from schemas.times import parse as instant
from tests.correlators.stage import Stage, bodies, rows_of

START = instant("2026-01-05T12:00:00Z")
RULE = """\
title: new tool
name: new
level: low
tags: [atlas.aml-t0053]
logsource: {product: barograph}
detection: {s: {activity: call}, condition: s}
barograph: {habit: {type: first_seen, by: agent, of: tool, learning: 1d}}
"""
TWICE = """\
title: twice
name: twice
correlation: {type: event_count, rules: [new], group-by: [agent], timespan: 1h, condition: {gte: 2}}
"""
STORY = """\
id: story
title: story
summary: A story.
join: agent
window: 1h
ttl: 2h
legs:
  first: {class: runtime, of: [new]}
"""


def rules(*texts: str) -> Ruleset:
    return parse(Document(f"{n}.yml", text) for n, text in enumerate(texts))


def stage(*texts: str) -> tuple[Stage, Ruleset]:
    ruleset = rules(*texts)
    assert ruleset.problems == ()
    return Stage(Habits(ruleset.habits, Routes(ruleset))), ruleset


def seen(ruleset: Ruleset, time: int, tool: str, agent: str = "desk") -> Row:
    entities = [{"kind": "agent", "id": agent}]
    fields = {"agent": agent, "tool": tool}
    made = row(ruleset.habits[0], time, f"{time}-{tool}", "0" * 64, entities, fields)
    assert made is not None
    return made


def test_a_departure_is_a_signal_like_any_other() -> None:
    running, ruleset = stage(RULE)
    first, new = seen(ruleset, START, "read"), seen(ruleset, START + 2 * DAY, "pay")
    running.take(first, seen(ruleset, START + DAY, "read"), new)
    assert bodies(running.pass_to(START + 2 * DAY), "signal") == []  # not settled yet
    (body,) = bodies(running.pass_to(START + 2 * DAY + 1), "signal")
    assert Signal.model_validate(body).body() == body
    assert body["habit"] == {
        "type": "first_seen",
        "since": "2026-01-05T12:00:00.000000Z",
        "values": 1,
    }
    told = {key: body[key] for key in ("id", "detection", "level", "family", "event", "fields")}
    assert told == {
        "id": new.id,
        "detection": "new",
        "level": "low",
        "family": "new",
        "event": new.body["event"],
        "fields": {"agent": "desk", "tool": "pay"},
    }


def test_who_waits_hears_of_it_at_once_and_that_it_is_taken_back() -> None:
    running, ruleset = stage(RULE, TWICE, STORY)
    running.take(seen(ruleset, START, "read"))
    rows = rows_of(running.take(seen(ruleset, START + 2 * DAY, "pay")))
    assert [(one.topic, one.kind, one.time) for one in rows] == [
        ("signals", "episode", START + 2 * DAY),
        ("attach", "finding", START + 2 * DAY),
    ]
    late = running.take(seen(ruleset, START + HOUR, "pay"))  # it was not the first time
    assert [type(one) for one in late] == [Delete, Delete]
    assert bodies(running.end(START + 9 * DAY), "signal") == []


def test_nobody_hears_of_a_silence_before_it_is_settled() -> None:
    habit = "habit: {type: silence, by: agent, hours: 1}"
    texts = (RULE.replace(RULE.partition("barograph: {")[2], f"{habit}}}\n"), STORY)
    running, ruleset = stage(*texts)
    for hour in range(15 * 24):
        running.take(seen(ruleset, START + hour * HOUR, "read"))
    last = START + 15 * 24 * HOUR
    assert rows_of(running.take(seen(ruleset, last + 3 * HOUR, "read"))) == []
    settled = running.pass_to(last + 3 * HOUR)
    assert [one.time for one in rows_of(settled)] == [last + HOUR]
    assert [body["time"] for body in bodies(settled, "signal")] == ["2026-01-20T13:00:00.000000Z"]


def test_a_match_without_its_group_or_its_value_is_no_observation() -> None:
    _, ruleset = stage(RULE)
    about = ruleset.habits[0]
    for fields in ({"agent": "desk"}, {"tool": "read"}, {"agent": "desk", "tool": ["a", "b"]}):
        assert row(about, START, "e", "0" * 64, [], fields) is None


@pytest.mark.parametrize(
    ("habit", "said"),
    [
        ("{type: first_seen, by: a}", "`barograph.habit.of`: field required"),
        ("{type: often, by: a}", "input tag 'often' found using 'type'"),
        ("{type: first_seen, by: a|cidr, of: b}", "at most one of `|network`, `|product`"),
        ("{type: first_seen, by: a, of: b, learn: 1d}", "there is no such key here"),
        ("{type: first_seen, by: a, of: b, learning: 9d, memory: 3d}", "longer than `learning`"),
        ("{type: volume, by: a}", "`barograph.habit.least`: field required"),
        ("{type: silence, by: a, learning: 1d}", "greater than or equal to"),
        ("{type: missing, by: [], of: b}", "at least 1 item"),
    ],
)
def test_a_mistake_in_a_habit_is_told(habit: str, said: str) -> None:
    text = RULE.partition("barograph:")[0] + f"barograph: {{habit: {habit}}}\n"
    (problem,) = rules(text).problems
    assert said in problem.message
    assert problem.line == 7


def test_an_observation_opens_no_fact() -> None:
    text = RULE.replace("barograph: {", "barograph: {fact: {name: x, on: model}, ")
    (problem,) = rules(text).problems
    assert problem.message.endswith(
        "a match of a habit is only observed, so it cannot open a `fact`"
    )


def test_fields_are_kept_and_asked_for() -> None:
    (about,) = rules(RULE.replace("tool,", "ip|network,")).habits
    assert about.fields == ("agent", "ip")
    body: dict[str, Any] = {"agent": "desk", "ip": "203.0.113.7"}
    made = row(about, START, "e", "0" * 64, [], body)
    assert made is not None
    assert (made.key, made.body["value"]) == ('["new","desk"]', '["203.0.113.0/24"]')
