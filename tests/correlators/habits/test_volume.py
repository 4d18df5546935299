"""The bound of an hour, in numbers that are written out."""

from __future__ import annotations

import pytest

from correlators.habits import hours
from correlators.habits.volume import ONE, Bound, amount, bound, spelled
from schemas.habit import Volume
from schemas.times import DAY

BASE = Volume(type="volume", by=("g",), least=10, learning=7 * DAY)


def daily(*numbers: int, hour: int = 0, start: int = 0) -> dict[int, int]:
    """The same hour of days that follow each other."""
    return {start + 24 * day + hour: number * ONE for day, number in enumerate(numbers)}


def of(past: dict[int, int], hour: int, habit: Volume = BASE) -> Bound | None:
    return bound(habit, tuple(sorted(past.items())), min(past), hour)


def test_the_same_hour_of_each_day_is_usual() -> None:
    past = daily(20, 22, 18, 20, 25, 15, 20, 21)
    # The median is 20, distances from it 0 2 2 0 5 5 0 1: their median 1. 3 x 22, of a week before.
    assert of(past, 8 * 24) == Bound(66 * ONE, 22 * ONE)
    del past[24]
    past[24] = 20 * ONE
    assert of(past, 8 * 24) == Bound(60 * ONE, 20 * ONE)


def test_deviations_count_where_they_are_great() -> None:
    past = daily(20, 100, 20, 100, 20, 100, 20, 100)
    # The middle of 20 and 100 is 60, all are 40 away from it: 60 + 10 x 40 is more than 3 x 100.
    assert of(past, 8 * 24) == Bound(460 * ONE, 100 * ONE)


def test_at_an_hour_of_rest_the_busiest_hours_are_usual() -> None:
    past = daily(*[20] * 8) | daily(*[40] * 8, hour=9)
    assert of(past, 8 * 24 + 3) == Bound(120 * ONE, 40 * ONE)


def test_little_is_little_however_it_grows() -> None:
    assert of(daily(*[1] * 8), 8 * 24) == Bound(10 * ONE, ONE)


def test_a_young_group_has_no_bound() -> None:
    assert of(daily(*[20] * 7), 7 * 24 - 1) is None
    assert of(daily(*[20] * 7), 7 * 24) == Bound(60 * ONE, 20 * ONE)
    assert of({0: ONE, 24: ONE}, 8 * 24) is None  # active on two days only


def test_medians() -> None:
    assert [hours.median(n) for n in ([3], [1, 2], [5, 1, 3], [1, 1, 4, 4])] == [3, 1, 3, 2]
    assert hours.spread([1, 2, 9], 2) == 1


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"a": 3, "b": "0.5"}, 3_500_000),
        ({"a": -3, "b": 2}, 2_000_000),
        ({"a": 0.0000019}, 1),
        ({"a": True, "b": "many"}, None),
        ({"a": 10**30}, 2**60),
        ({}, None),
    ],
)
def test_what_a_match_adds(fields: dict[str, object], expected: int | None) -> None:
    assert amount(BASE.model_copy(update={"sum": ("a", "b")}), fields) == expected
    assert amount(BASE, fields) == ONE


def test_numbers_are_told_as_decimals() -> None:
    assert [spelled(n) for n in (0, ONE, 1_500_000, 1)] == ["0", "1", "1.5", "0.000001"]
