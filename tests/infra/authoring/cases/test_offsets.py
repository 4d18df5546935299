"""Times of cases are offsets from one moment."""

from __future__ import annotations

import pytest

from infra.authoring.cases.offsets import offset, spelled
from schemas.times import DAY, HOUR, MINUTE, SECOND


def test_an_offset_is_a_duration_before_or_after() -> None:
    stated = ("0s", "5m", "-1h", "2d", 90, 1.5, -3)
    assert [offset(one) for one in stated] == [
        *(0, 5 * MINUTE, -HOUR, 2 * DAY, 90 * SECOND, 1_500_000, -3 * SECOND)
    ]


@pytest.mark.parametrize("stated", ["", "soon", "5", "--5m", "5m ago"])
def test_anything_else_is_none(stated: str) -> None:
    with pytest.raises(ValueError, match="not a duration like 30s, 15m, 24h or 7d"):
        offset(stated)


@pytest.mark.parametrize("stated", [None, True, [], float("nan"), float("inf"), 10**400])
def test_what_is_neither_text_nor_a_number_of_seconds_is_none(stated: object) -> None:
    with pytest.raises(ValueError, match="a time is an offset like 5m, -1h or 90"):
        offset(stated)


def test_an_offset_is_spelled_in_the_largest_unit_that_divides_it() -> None:
    times = (0, 90 * SECOND, 30 * MINUTE, -HOUR, 2 * DAY, 1_500_000)
    assert [spelled(time) for time in times] == ["0s", "90s", "30m", "-1h", "2d", "1.5s"]
