"""Attach: what happens to an entity reaches its AI systems as of the time at which it happened."""

from __future__ import annotations

from typing import Any

from correlators.attach import LEGS, Attach
from schemas.rows import Output, Row
from schemas.times import HOUR
from tests.correlators.stage import Stage, rows_of, whole

KEY = "model:m"
CHAT, SEARCH = "application:chat", "application:search"
PATH = [[CHAT, "uses", KEY]]
END = 1_000 * HOUR


def leg(time: int, id_: str = "", kind: str = "signal") -> Row:
    return Row("attach", 0, KEY, time, id_ or f"leg-{time}", kind, {"of": "rule", "tags": []})


def fact(time: int, state: str = "open", name: str = "exposed") -> Row:
    body = {"name": name, "instance": "", "state": state, "since": time}
    return Row("attach", 0, KEY, time, f"fact-{name}-{time}-{state}", "posture", body)


def member(time: int, *systems: str) -> Row:
    body = {"systems": {system: [[system, "uses", KEY]] for system in systems}}
    return Row("membership", 0, KEY, time, f"member-{time}", "member", body)


def attach(*rows: Row, memory: int = 24 * HOUR) -> list[Output]:
    return whole(Attach(memory), list(rows), END)


def sent(outputs: list[Output]) -> list[tuple[str, str, int]]:
    """System, kind and time of what was handed on."""
    return sorted((row.key, row.kind, row.time) for row in rows_of(outputs))


def test_an_entity_in_no_system_is_its_own() -> None:
    (row,) = rows_of(attach(leg(5)))
    assert (row.topic, row.key, row.time, row.kind) == ("assess", KEY, 5, "leg")
    assert row.body == {
        "of": "rule",
        "tags": [],
        "leg": "leg-5",
        "at": 5,
        "entity": KEY,
        "path": [],
    }


def test_a_leg_goes_to_the_systems_of_its_time_with_the_path() -> None:
    outputs = attach(leg(1), member(3, CHAT), leg(5))
    assert (CHAT, "leg", 5) in sent(outputs)
    (row,) = [row for row in rows_of(outputs) if row.time == 5]
    assert row.body["path"] == PATH


def test_in_several_systems_each_gets_the_row() -> None:
    outputs = attach(member(1, CHAT, SEARCH), leg(5), fact(6))
    assert [one for one in sent(outputs) if one[2] > 1] == [
        (CHAT, "leg", 5),
        (CHAT, "posture", 6),
        (SEARCH, "leg", 5),
        (SEARCH, "posture", 6),
    ]


def test_what_lives_is_handed_to_a_system_gained_at_the_time_of_the_change() -> None:
    outputs = attach(fact(1), leg(2), member(5, CHAT))
    assert sent(outputs) == [
        (CHAT, "leg", 5),
        (CHAT, "posture", 5),
        (KEY, "leave", 5),
        (KEY, "leg", 2),
        (KEY, "posture", 1),
    ]
    handed = next(row for row in rows_of(outputs) if (row.key, row.kind) == (CHAT, "leg"))
    assert (handed.body["leg"], handed.body["at"], handed.body["path"]) == ("leg-2", 2, PATH)


def test_a_system_that_is_kept_gets_nothing_twice() -> None:
    outputs = attach(member(1, CHAT), leg(2), member(5, CHAT, SEARCH))
    assert [one for one in sent(outputs) if one[2] == 5] == [(SEARCH, "leg", 5)]


def test_a_system_that_is_lost_is_told_so() -> None:
    outputs = attach(member(1, CHAT, SEARCH), leg(2), member(5, SEARCH), leg(6))
    assert [one for one in sent(outputs) if one[2] >= 5] == [(CHAT, "leave", 5), (SEARCH, "leg", 6)]


def test_who_loses_every_system_is_its_own_again() -> None:
    outputs = attach(member(1, CHAT), leg(2), member(5))
    assert [one for one in sent(outputs) if one[2] == 5] == [(CHAT, "leave", 5), (KEY, "leg", 5)]


def test_at_equal_times_facts_come_first_then_membership_then_legs() -> None:
    outputs = attach(leg(5), member(5, CHAT), fact(5))
    assert sent(outputs) == [
        (CHAT, "leg", 5),
        (CHAT, "posture", 5),
        (KEY, "leave", 5),
        (KEY, "posture", 5),
    ]


def test_at_equal_times_an_open_fact_wins() -> None:
    outputs = attach(fact(5, "closed"), fact(5), member(7, CHAT))
    assert (CHAT, "posture", 7) in sent(outputs)


def test_a_closed_fact_and_an_old_leg_are_not_handed_on() -> None:
    before = [fact(1), fact(2, "closed"), leg(6), leg(7), leg(5 * HOUR + 6)]
    outputs = attach(*before, member(5 * HOUR + 7, CHAT), memory=5 * HOUR)
    handed = [row.body["leg"] for row in rows_of(outputs) if row.key == CHAT]
    assert handed == [f"leg-{5 * HOUR + 6}", "leg-7"]


def test_of_too_many_legs_the_newest_are_kept_whatever_else_grows_old() -> None:
    stage = Stage(Attach(10))
    stage.take(*(leg(n % 20, f"{n:04}") for n in range(20 * LEGS)))
    stage.pass_to(29)
    assert len(stage.keyed.slots[KEY].compact.legs) == LEGS


def test_ids_are_content_and_copies_change_nothing() -> None:
    rows = [member(1, CHAT), fact(2), leg(3), leg(3, "other", "finding")]
    assert attach(*rows[::-1], *rows) == attach(*rows)
    ids = [row.id for row in rows_of(attach(*rows))]
    assert len(set(ids)) == len(ids)


def test_nothing_known_is_forgotten() -> None:
    stage = Stage(Attach(24 * HOUR))
    stage.take(fact(1), fact(2, "closed"))
    stage.pass_to(3)
    assert stage.keyed.slots == {}


def test_what_was_handed_on_early_is_taken_back_with_the_row() -> None:
    stage = Stage(Attach(24 * HOUR))
    stage.take(leg(5))
    outputs: list[Any] = stage.take(member(3, CHAT))
    gone = [one for one in outputs if type(one).__name__ == "Delete"]
    assert [(one.key, one.time) for one in gone] == [(KEY, 5)]
    assert sent(outputs) == [(CHAT, "leg", 5), (KEY, "leave", 3)]


def test_an_entity_of_which_nothing_is_heard_is_forgotten_with_its_last_leg() -> None:
    stage = Stage(Attach(24 * HOUR))
    stage.take(leg(HOUR))
    stage.pass_to(2 * HOUR)
    assert stage.keyed.slots.keys() == {KEY}
    stage.pass_to(25 * HOUR)  # a leg at exactly the edge is still in the window
    assert stage.keyed.slots.keys() == {KEY}
    stage.pass_to(25 * HOUR + 1)
    assert stage.keyed.slots == {}
