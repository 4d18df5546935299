import pytest

from schemas.times import rfc3339
from streams.clocks import told
from streams.source import Unreadable


@pytest.mark.parametrize(
    ("value", "known"),
    [
        ("2026-03-04T05:06:07.123456", "2026-03-04T05:06:07.123456Z"),
        ("2026-03-04 05:06:07", "2026-03-04T05:06:07.000000Z"),
        ("2026-03-04T05:06:07+01:00", "2026-03-04T04:06:07.000000Z"),
        ("2026-03-04T05:06:07+0100", "2026-03-04T04:06:07.000000Z"),
        ("2026-03-04", "2026-03-04T00:00:00.000000Z"),
    ],
)
def test_a_time_without_a_zone_is_utc(value: str, known: str) -> None:
    assert rfc3339(told(value)) == known


@pytest.mark.parametrize("value", [None, "", " ", True])
def test_nothing_is_said(value: object) -> None:
    assert told(value) == 0


@pytest.mark.parametrize("value", ["yesterday", "2026-13-01", "0001-01-01T00:00:00"])
def test_what_is_no_time(value: str) -> None:
    with pytest.raises(Unreadable) as error:
        told(value)
    assert error.value.reason == "bad-time"
