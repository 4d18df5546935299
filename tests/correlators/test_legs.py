"""Legs: when a leg holds, what it keeps, and what takes its hits away again."""

from __future__ import annotations

from correlators.legs import FAMILIES, Instance, Wait, add, holds, lapse, leave, prune
from schemas.canonical import digest
from schemas.times import MINUTE
from tests.correlators.stories import AGENT, filled, hit, story, take

CHAIN = story(
    {
        "recon": {"class": "runtime"},
        "use": {"class": "runtime", "after": "recon"},
        "sale": {"class": "runtime", "after": "use"},
    }
)
USE = story({"use": {"class": "runtime"}})
TWICE = story({"use": {"class": "runtime", "at_least": 2}})
UNCHECKED = story(
    {
        "deploy": {"class": "change"},
        "eval": {"class": "change", "absent": True, "since": "deploy", "within": 5 * MINUTE},
    }
)


def starts(instance: Instance, name: str) -> list[float]:
    return [one.start / MINUTE for one in instance.hits.get(name, [])]


# Law 1: the window, and chains in it


def test_a_leg_holds_to_the_edge_of_its_window() -> None:
    hits, leg = [hit(5)], USE.legs["use"]
    assert holds(leg, hits, 15 * MINUTE, USE.window) == 5 * MINUTE
    assert holds(leg, hits, 15 * MINUTE + 1, USE.window) is None


def test_a_leg_may_need_several_hits() -> None:
    leg = TWICE.legs["use"]
    assert holds(leg, [hit(1)], 1 * MINUTE, TWICE.window) is None
    assert holds(leg, [hit(1), hit(2), hit(3)], 3 * MINUTE, TWICE.window) == 2 * MINUTE
    assert holds(leg, [hit(1), hit(2)], 12 * MINUTE, TWICE.window) is None


def test_a_chain_starts_where_its_first_hit_does() -> None:
    instance = filled(CHAIN, hit(1, "recon"), hit(6, "use"), hit(10, "sale"))
    assert starts(instance, "sale") == [1]
    assert holds(CHAIN.legs["sale"], instance.hits["sale"], 11 * MINUTE, CHAIN.window) == MINUTE
    assert holds(CHAIN.legs["sale"], instance.hits["sale"], 12 * MINUTE, CHAIN.window) is None


def test_a_chain_starts_as_late_as_it_can() -> None:
    instance = filled(CHAIN, hit(1, "recon"), hit(4, "recon"), hit(6, "use"))
    assert starts(instance, "use") == [4]


def test_a_whole_chain_lies_in_the_window() -> None:
    instance = filled(CHAIN, hit(1, "recon"), hit(10, "use"))
    assert not take(CHAIN, instance, hit(11.5, "sale"))


def test_equal_times_count_as_in_order() -> None:
    instance = filled(CHAIN, hit(3, "recon"), hit(3, "use"), hit(3, "sale"))
    assert starts(instance, "sale") == [3]


def test_a_hit_that_lies_before_the_window_says_nothing() -> None:
    one, instance = hit(1), Instance()
    assert not add(USE, instance, "use", one, AGENT, [], 11 * MINUTE + 1)
    assert add(USE, instance, "use", one, AGENT, [], 11 * MINUTE)


# Law 2: order


def test_an_ordered_leg_says_nothing_before_its_predecessor() -> None:
    instance = Instance()
    assert not take(CHAIN, instance, hit(1, "use"))
    assert instance == Instance()
    assert take(CHAIN, instance, hit(2, "recon"))
    assert not take(CHAIN, instance, hit(3, "sale"))
    assert not take(CHAIN, instance, hit(1, "use"))  # handed over later, but it happened before
    assert take(CHAIN, instance, hit(4, "use"))


# Law 3: what is kept


def test_of_each_family_the_latest_is_kept() -> None:
    instance = filled(USE, hit(1, family="f"), hit(2, family="f"), hit(2, family="g", leg="g"))
    assert sorted(one.leg for one in instance.hits["use"]) == ["g", "use@2"]


def test_as_many_are_kept_as_the_leg_needs() -> None:
    instance = filled(TWICE, hit(1), hit(2), hit(3))
    assert starts(instance, "use") == [2, 3]


def test_no_more_families_are_kept_than_raise_a_stage() -> None:
    instance = filled(USE, *(hit(n / 10, family=f"f{n:02}") for n in range(20)))
    kept = sorted(one.family for one in instance.hits["use"])
    assert kept == [f"f{n:02}" for n in range(20 - FAMILIES, 20)]


def test_a_known_hit_says_nothing_but_by_whom_it_is_carried() -> None:
    instance = filled(USE, hit(1))
    assert not take(USE, instance, hit(1), via="model:m")
    assert instance.via == {"use@1": {AGENT: [], "model:m": []}}


def test_a_hit_that_fills_two_legs_keeps_all_who_carry_it() -> None:
    both = story({"use": {"class": "runtime"}, "more": {"class": "runtime"}})
    instance = filled(both, hit(1))
    assert add(both, instance, "more", hit(1), "model:m", [], MINUTE)
    assert instance.via == {"use@1": {AGENT: [], "model:m": []}}
    leave(instance, "model:m")
    assert list(instance.hits) == ["use", "more"]


# Absence


def test_an_absence_is_waited_for_from_the_first_hit_that_asks_for_it() -> None:
    instance = filled(UNCHECKED, hit(1, "deploy"), hit(2, "deploy"))
    assert instance.waits == {"eval": Wait(6 * MINUTE, hit(1, "deploy"))}


def test_what_is_handed_over_late_is_not_waited_for_in_the_past() -> None:
    instance = Instance()
    add(UNCHECKED, instance, "deploy", hit(1, "deploy"), AGENT, [], 8 * MINUTE)
    assert instance.waits["eval"].deadline == 8 * MINUTE


def test_what_was_waited_for_ends_the_wait() -> None:
    instance = filled(UNCHECKED, hit(1, "deploy"))
    assert not take(UNCHECKED, instance, hit(6, "eval"))
    assert instance.waits == {}
    assert "eval" not in instance.hits


def test_an_absence_is_a_hit_at_its_deadline_carried_like_its_cause() -> None:
    instance = filled(UNCHECKED, hit(1, "deploy"))
    found = lapse(instance, "eval")
    assert instance.waits == {}
    assert instance.hits["eval"] == [found]
    assert (found.at, found.start, found.family) == (6 * MINUTE, 6 * MINUTE, "absence:eval")
    assert (found.title, found.of) == ("Nothing followed: eval", "eval")
    assert found.leg == digest("absence", "eval", "deploy@1")
    assert found.evidence == hit(1, "deploy").evidence
    assert instance.via[found.leg] == {AGENT: []}


# What leaves


def test_hits_that_only_a_leaver_carried_go_with_it() -> None:
    both = story({"use": {"class": "runtime"}, "deploy": {"class": "change"}})
    instance = filled(both, hit(1))
    take(both, instance, hit(2, "deploy"), via="model:m")
    take(both, instance, hit(1), via="model:m")
    assert leave(instance, "model:m")
    assert list(instance.hits) == ["use"]
    assert not leave(instance, "model:m")
    assert leave(instance, AGENT)
    assert instance == Instance()


def test_every_hit_forgets_who_left() -> None:
    instance = filled(USE, hit(1, family="f"), hit(2, family="g"))
    for one in (hit(1, family="f"), hit(2, family="g")):
        take(USE, instance, one, via="model:m")
    assert leave(instance, "model:m")
    assert instance.via == {"use@1": {AGENT: []}, "use@2": {AGENT: []}}
    assert leave(instance, AGENT)
    assert instance == Instance()


def test_a_wait_goes_with_the_entity_that_asked_for_it() -> None:
    instance = filled(UNCHECKED, hit(1, "deploy"))
    assert leave(instance, AGENT)
    assert instance == Instance()


def test_hits_leave_with_their_window() -> None:
    instance = filled(USE, hit(1), hit(5, family="other"))
    assert not prune(USE, instance, 11 * MINUTE)
    assert prune(USE, instance, 11 * MINUTE + 1)
    assert starts(instance, "use") == [5]
    assert list(instance.via) == ["use@5"]


def test_a_copy_can_be_changed_without_the_original() -> None:
    instance = filled(UNCHECKED, hit(1, "deploy"))
    copy = instance.copy()
    take(UNCHECKED, copy, hit(2, "deploy", family="other"))
    take(UNCHECKED, copy, hit(1, "deploy"), via="model:m")
    lapse(copy, "eval")
    assert instance == filled(UNCHECKED, hit(1, "deploy"))
