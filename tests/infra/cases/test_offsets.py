"""Times of cases are offsets from one moment."""

from __future__ import annotations

import pytest

from infra.cases.offsets import offset
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
