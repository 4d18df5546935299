"""Absence: what qualifies unless something follows, and when that is known."""

from __future__ import annotations

import pytest

from correlators import window
from correlators.accumulator import Hit
from correlators.window import Step, Window
from schemas.correlation import Clause, Correlation, CorrelationType
from schemas.times import DAY, SECOND

CELL = 10 * SECOND // 64


def rule_of(
    *clauses: tuple[str, str], type_: CorrelationType = "temporal", rules: str = "abc"
) -> Correlation:
    """A rule over rules of one letter, with alternatives of those present and those absent."""
    return Correlation(
        id="rule",
        title="rule",
        family="rule",
        type=type_,
        rules=tuple(rules),
        timespan=10 * SECOND,
        clauses=tuple(Clause(present=tuple(p), absent=tuple(n)) for p, n in clauses),
    )


def hit(second: float, name: str) -> Hit:
    return Hit(round(second * SECOND), f"{name}{second:g}", (name,))


def play(rule: Correlation, until: float, *hits: Hit) -> tuple[list[Step], Window]:
    """All steps that are due before `until` seconds, hits at one time together."""
    state, steps = window.empty(rule), list[Step]()
    for time in (*sorted({hit.time for hit in hits}), round(until * SECOND)):
        steps += window.fire(rule, state, time, lambda hit: hit.id)
        together = [hit for hit in hits if hit.time == time]
        if together:
            window.apply(rule, state, time, together, lambda hit: hit.id)
    return steps, state


def episodes(rule: Correlation, *hits: Hit, until: float = 1000) -> list[tuple[str, float, float]]:
    steps, _ = play(rule, until, *hits)
    closed = [step.closed for step in steps if step.closed is not None]
    return [(one.id, one.onset / SECOND, one.last / SECOND) for one in closed]


A_NOT_B = rule_of(("a", "b"), rules="ab")
A_THEN_NO_B = rule_of(("a", "b"), rules="ab", type_="temporal_ordered")


@pytest.mark.parametrize(
    ("hits", "around", "after"),
    [
        ([hit(0, "a")], 1, 1),
        ([hit(0, "a"), hit(5, "b")], 0, 0),
        ([hit(0, "a"), hit(10, "b")], 0, 0),
        ([hit(0, "a"), hit(10.2, "b")], 1, 1),
        ([hit(0, "b"), hit(5, "a")], 0, 1),
        ([hit(0, "b"), hit(10, "a")], 0, 1),
        ([hit(0, "b"), hit(10.2, "a")], 1, 1),
        ([hit(5, "b"), hit(5, "a")], 0, 0),
        ([hit(0, "b")], 0, 0),
    ],
)
def test_temporal_looks_both_ways_and_ordered_ahead(
    hits: list[Hit], around: int, after: int
) -> None:
    assert len(episodes(A_NOT_B, *hits)) == around
    assert len(episodes(A_THEN_NO_B, *hits)) == after


def test_the_later_edge_is_rounded_up_to_the_end_of_a_cell() -> None:
    (step,), _ = play(A_NOT_B, 20, hit(0, "a"))[0][:1], None
    assert step.time == CELL - 1 + 10 * SECOND
    inside = Hit(step.time, "b", ("b",))
    assert episodes(A_NOT_B, hit(0, "a"), inside) == []
    behind = Hit(step.time + 1, "b", ("b",))
    assert episodes(A_NOT_B, hit(0, "a"), behind) == [("a0", 0, 0)]


def test_absence_that_was_not_awaited_is_not_told() -> None:
    due = (CELL - 1) / SECOND + 10
    steps, state = play(A_NOT_B, due, hit(0, "a"))
    assert (steps, state.episode, window.closes_at(A_NOT_B, state)) == (
        [],
        None,
        CELL - 1 + 10 * SECOND,
    )
    steps, state = play(A_NOT_B, due + 1e-6, hit(0, "a"))
    assert [(step.onset, step.time, step.hits) for step in steps][:1] == [
        (True, CELL - 1 + 10 * SECOND, (hit(0, "a"),))
    ]


def test_an_episode_waits_for_candidates_that_may_go_on_with_it() -> None:
    every = [hit(second, "a") for second in (0, 8, 16)]
    assert episodes(A_NOT_B, *every) == [("a0", 0, 16)]
    assert episodes(A_NOT_B, *every, hit(20, "b")) == [("a0", 0, 8)]
    assert episodes(A_NOT_B, *every, hit(15, "b")) == [("a0", 0, 0)]


def test_counts_hold_what_lies_between_and_what_held_the_onset_up() -> None:
    rule = rule_of(("ab", "c"))
    hits = [hit(0, "a"), hit(4, "b"), hit(5, "a"), hit(12, "b"), hit(30, "c")]
    steps, _ = play(rule, 100, *hits)
    (episode,) = [step.closed for step in steps if step.closed is not None]
    assert (episode.onset, episode.last, episode.first) == (4 * SECOND, 12 * SECOND, 0)
    assert episode.sample.count == 4
    assert [one.id for one in episode.sample.hits] == ["a0", "b4", "a5", "b12"]


def test_an_alternative_without_absence_is_certain_at_once_but_waits_its_turn() -> None:
    rule = rule_of(("ab", ""), ("a", "c"))
    steps, _ = play(rule, 100, hit(0, "a"), hit(3, "b"))
    told = [(step.time, step.onset) for step in steps if step.episode is not None]
    assert told == [(CELL - 1 + 10 * SECOND, True), (CELL - 1 + 10 * SECOND, False)]
    steps, _ = play(rule, 100, hit(0, "a"), hit(3, "b"), hit(5, "c"))
    told = [(step.time, step.onset) for step in steps if step.episode is not None]
    assert told == [(5 * SECOND, True), (5 * SECOND, False)]  # b, then c beside a and b


def test_candidates_of_one_cell_with_different_fates_stay_apart() -> None:
    rule = rule_of(("a", "c"), ("b", "d"), rules="abcd")
    both = (hit(0, "a"), hit(0.05, "b"))
    assert episodes(rule, *both) == [("a0", 0, 0.05)]
    assert episodes(rule, *both, hit(5, "c")) == [("b0.05", 0.05, 5)]
    assert episodes(rule, *both, hit(5, "d")) == [("a0", 0, 5)]
    assert episodes(rule, *both, hit(5, "c"), hit(6, "d")) == []
    three = rule_of(("a", "c"), ("b", "d"), ("e", "f"), rules="abcdef")
    hits = (hit(0, "a"), hit(0, "e"), hit(0.05, "b"), hit(3, "f"), hit(5, "c"))
    assert episodes(three, *hits) == [("b0.05", 0.05, 5)]


def test_an_absent_rule_among_the_present_ones_is_not_in_the_window() -> None:
    rule = rule_of(("ac", "b"), type_="temporal_ordered")
    assert not rule.waits
    assert rule.undoable
    state = window.empty(rule)
    for one in (hit(0, "a"), hit(1, "c")):
        _, episode = window.apply(rule, state, one.time, [one], lambda hit: hit.id)
    assert episode is not None
    state = window.empty(rule)
    for one in (hit(0, "a"), hit(1, "b"), hit(2, "c")):
        _, episode = window.apply(rule, state, one.time, [one], lambda hit: hit.id)
    assert episode is None


def test_an_episode_of_absence_that_never_pauses_is_cut() -> None:
    hits = [hit(9 * n, "a") for n in range(DAY // SECOND // 9 + 3)]
    found = episodes(A_NOT_B, *hits, until=200_000)
    assert [one[0] for one in found] == ["a0", f"a{9 * (DAY // SECOND // 9 + 1)}"]


def test_candidates_are_kept_by_cell_not_by_hit() -> None:
    state = window.empty(A_NOT_B)
    for n in range(5000):
        one = Hit(n * 2000, f"{n}", ("a",))
        list(window.fire(A_NOT_B, state, one.time, lambda hit: hit.id))
        window.apply(A_NOT_B, state, one.time, [one], lambda hit: hit.id)
    assert len(state.pending) == 64
    assert sum(candidate.count for candidate in state.pending) == 5000
