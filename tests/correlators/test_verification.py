"""Verification: hits, false alarms and misses as defined, and scores worked out by hand."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from correlators.verification import Board, Forecast, Seen, Verdict, board, verify

OPENING = Seen(0, "AML.T0051")
SOON = Forecast(0, "AML.T0053", 300, 10)

techniques = st.sampled_from(["AML.T0051", "AML.T0053", "AML.T0053.001", "AML.T0086"])
times = st.integers(0, 40)
forecasts = st.lists(
    st.builds(Forecast, times, techniques, st.integers(0, 1000), st.integers(1, 20)), max_size=8
)
seen = st.lists(st.builds(Seen, times, techniques), max_size=8)


@pytest.mark.parametrize(
    ("came", "until", "outcome", "lead"),
    [
        ([], 10, "open", None),
        ([], 11, "false_alarm", None),
        ([Seen(1, "AML.T0053")], 1, "hit", 1),
        ([Seen(10, "AML.T0053")], 20, "hit", 10),
        ([Seen(11, "AML.T0053")], 20, "false_alarm", None),
        ([Seen(0, "AML.T0053")], 20, "false_alarm", None),
        ([Seen(5, "AML.T0053.000")], 20, "hit", 5),
        ([Seen(5, "AML.T0086")], 20, "false_alarm", None),
        ([Seen(9, "AML.T0053")], 8, "open", None),
    ],
)
def test_a_forecast_is_met_after_its_issue_and_up_to_its_deadline(
    came: list[Seen], until: int, outcome: str, lead: int | None
) -> None:
    (verdict,) = verify([SOON], [OPENING, *came], until).verdicts
    assert verdict == Verdict(SOON, outcome, lead)  # type: ignore[arg-type]


def test_what_nobody_foretold_is_a_miss_except_the_opening_and_repeats() -> None:
    came = [OPENING, Seen(0, "AML.T0010"), Seen(4, "AML.T0086"), Seen(5, "AML.T0053")]
    verified = verify([SOON], [*came, Seen(6, "AML.T0051"), Seen(7, "AML.T0086")], 100)
    assert verified.misses == (Seen(4, "AML.T0086"),)
    assert verified.leads == (5,)


def test_the_lead_of_an_event_is_that_of_its_earliest_forecast() -> None:
    again = SOON._replace(time=4, probability=500)
    verified = verify([again, SOON], [OPENING, Seen(6, "AML.T0053")], 100)
    assert verified.verdicts == (Verdict(SOON, "hit", 6), Verdict(again, "hit", 2))
    assert verified.leads == (6,)


def test_the_board_of_a_small_season() -> None:
    # Two hits on one event, one false alarm, one open; one event foretold, one missed.
    issued = [
        SOON,
        SOON._replace(time=2, probability=500),
        Forecast(0, "AML.T0010", 200, 10),
        Forecast(95, "AML.T0055", 900, 10),
    ]
    found = board(verify(issued, [OPENING, Seen(6, "AML.T0053"), Seen(7, "AML.T0086")], 100))
    assert (found.hits, found.false_alarms, found.open) == (2, 1, 1)
    assert (found.foretold, found.misses) == (1, 1)
    assert found.brier == (Fraction(49, 100) + Fraction(25, 100) + Fraction(4, 100)) / 3
    assert found.pod == Fraction(1, 2)
    assert found.far == Fraction(1, 3)
    assert found.csi == Fraction(2, 5)  # 1 / (2 + 3/2 - 1)
    assert found.mean_lead == 6
    assert found.reliability == (
        (Fraction(1, 5), Fraction(0), 1),
        (Fraction(3, 10), Fraction(1), 1),
        (Fraction(1, 2), Fraction(1), 1),
    )


def test_scores_of_nothing_are_unknown_and_not_zero() -> None:
    empty = board(verify([], [], 0))
    assert empty == Board()
    assert [empty.brier, empty.pod, empty.far, empty.csi, empty.mean_lead] == [None] * 5
    assert empty.reliability == ()


def test_only_false_alarms_and_misses_have_no_success() -> None:
    found = board(verify([SOON], [OPENING, Seen(4, "AML.T0086")], 100))
    assert [found.pod, found.far, found.csi] == [Fraction(0), Fraction(1), Fraction(0)]


@pytest.mark.parametrize(("per_mille", "place"), [(0, 0), (99, 0), (100, 1), (999, 9), (1000, 9)])
def test_a_probability_has_its_bin(per_mille: int, place: int) -> None:
    bins = board(verify([SOON._replace(probability=per_mille)], [], 100)).bins
    assert [n for n, _, _ in bins] == [int(i == place) for i in range(10)]


@given(forecasts, seen, times)
def test_every_forecast_has_one_outcome_and_every_event_is_foretold_or_missed(
    issued: list[Forecast], came: list[Seen], until: int
) -> None:
    verified = verify(issued, came, until)
    found = board(verified)
    assert found.hits + found.false_alarms + found.open == len(issued)
    assert all(lead > 0 for lead in verified.leads)
    assert found.csi is None or 0 <= found.csi <= 1
    assert found.brier is None or 0 <= found.brier <= 1


@given(forecasts, seen, times, st.data())
def test_arrival_order_changes_nothing(
    issued: list[Forecast], came: list[Seen], until: int, data: st.DataObject
) -> None:
    shuffled = verify(data.draw(st.permutations(issued)), data.draw(st.permutations(came)), until)
    assert shuffled == verify(issued, came, until)


@given(st.lists(st.tuples(forecasts, seen, times), max_size=4))
def test_boards_add_up_in_any_grouping(
    seasons: list[tuple[list[Forecast], list[Seen], int]],
) -> None:
    boards = [board(verify(*season)) for season in seasons]
    forwards, backwards = sum(boards, Board()), sum(reversed(boards), Board())
    assert forwards == backwards
    assert forwards.hits == sum(one.hits for one in boards)
