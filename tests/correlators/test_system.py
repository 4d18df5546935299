"""System: its bounds, and what happens next on it if nothing more comes."""

from __future__ import annotations

import pytest

from correlators import system
from correlators.deadlines import Deadline, Due, earliest
from correlators.outlook import Forecast
from correlators.system import Story, System
from schemas.times import MINUTE
from tests.correlators.assessing import SYSTEM, fact, leg
from tests.correlators.stories import AGENT, filled, hit, story

USE = story({"use": {"class": "runtime"}})
UNCHECKED = story(
    {
        "use": {"class": "runtime"},
        "eval": {"class": "change", "absent": True, "since": "use", "within": 10 * MINUTE},
    }
)
FORECAST = Forecast("f", "a", SYSTEM, 0, "AML.T0086", 500, "10m", 11 * MINUTE)


def test_facts_of_one_system_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "FACTS", 2)
    state = System()
    for n in range(4):
        assert not system.turn(state, fact(n, instance=str(n)).body)
    assert [one.instance for one in state.facts.values()] == ["0", "1"]
    assert system.turn(state, fact(5, "closed", instance="0").body)
    assert not system.turn(state, fact(6, "closed", instance="3").body)
    system.turn(state, fact(7, instance="3").body)
    assert [one.instance for one in state.facts.values()] == ["1", "3"]


def test_of_too_many_join_entities_the_one_touched_longest_ago_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(system, "INSTANCES", 2)
    state = System()
    for minute, agent in ((1, "agent:a"), (2, "agent:b"), (3, "agent:a"), (4, "agent:c")):
        row = leg(minute, "use", [agent], agent)
        assert system.take(state, USE, "use", row.body, row.time)
    assert list(state.stories["story"].instances) == ["agent:a", "agent:c"]


def test_a_signal_that_names_several_join_entities_fills_the_leg_of_each() -> None:
    state, row = System(), leg(1, "use", ["agent:a", "agent:b"], "agent:b")
    assert system.take(state, USE, "use", row.body, row.time)
    assert list(state.stories["story"].instances) == ["agent:a", "agent:b"]


def test_where_the_join_is_the_system_all_legs_meet() -> None:
    joined = story({"use": {"class": "runtime"}}, join="system", via=["agent"])
    state = System()
    for minute, agent in ((1, "agent:a"), (2, "agent:b")):
        row = leg(minute, "use", [agent], agent)
        assert system.take(state, joined, "use", row.body, row.time)
    assert list(state.stories["story"].instances) == [""]


def test_a_copy_can_be_changed_without_the_original() -> None:
    state = System(stories={"story": Story({AGENT: filled(USE, hit(1))})}, kinds=["agent"])
    copy = state.copy()
    system.turn(copy, fact(1).body)
    system.meet(copy, ["tool:t"])
    system.leave(copy, AGENT)
    copy.forecasts["f"] = FORECAST
    assert state == System(stories={"story": Story({AGENT: filled(USE, hit(1))})}, kinds=["agent"])


def test_the_kinds_of_what_was_named_are_kept_once() -> None:
    state = System(kinds=["agent"])
    system.meet(state, ["tool:b", "agent:a", "tool:a"])
    assert state.kinds == ["agent", "tool"]


# Deadlines


def all_deadlines(state: System, *, ahead: bool = False) -> list[Deadline]:
    """Every deadline in turn, each taken away once it is found."""
    found: list[Deadline] = []
    while (first := earliest(state, {"story": UNCHECKED}, ahead=ahead)) is not None:
        found.append(first)
        if first.due is Due.HORIZON:
            del state.forecasts[first.of]
        elif first.due is Due.ABSENT:
            state.stories[first.of].instances[first.join].waits.clear()
        elif first.due is Due.LEFT:
            state.stories[first.of].instances[first.join].hits.clear()
    return found


def test_at_equal_times_what_did_not_come_is_first_and_a_horizon_last() -> None:
    instance = filled(UNCHECKED, hit(1))
    state = System(stories={"story": Story({AGENT: instance})}, forecasts={"f": FORECAST})
    assert all_deadlines(state.copy()) == [
        Deadline(11 * MINUTE, Due.ABSENT, "story", AGENT),
        Deadline(11 * MINUTE, Due.LEFT, "story", AGENT),
        Deadline(11 * MINUTE, Due.HORIZON, "f"),
    ]
    assert [one.due for one in all_deadlines(state.copy(), ahead=True)] == [Due.LEFT, Due.HORIZON]


def test_the_earliest_comes_first_whatever_it_is() -> None:
    instances = {"agent:a": filled(UNCHECKED, hit(3)), "agent:b": filled(UNCHECKED, hit(2))}
    state = System(stories={"story": Story(instances)}, forecasts={"f": FORECAST})
    assert earliest(state, {"story": UNCHECKED}, ahead=False) == Deadline(
        11 * MINUTE, Due.HORIZON, "f"
    )
    del state.forecasts["f"]
    assert earliest(state, {"story": UNCHECKED}, ahead=False) == Deadline(
        12 * MINUTE, Due.ABSENT, "story", "agent:b"
    )


def test_nothing_is_due_where_nothing_is() -> None:
    assert earliest(System(), {}, ahead=False) is None
