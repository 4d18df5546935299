import pytest

from schemas.times import rfc3339
from streams.records.clocks import clock, told
from streams.source import Unreadable

TIME = 1_772_600_767_500_000


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
def test_what_is_told_as_no_time(value: str) -> None:
    with pytest.raises(Unreadable) as error:
        told(value)
    assert error.value.reason == "bad-time"


@pytest.mark.parametrize(
    "said",
    [
        "2026-03-04T05:06:07.5Z",
        "2026-03-04 05:06:07.5",  # without a zone: UTC
        "2026-03-04T06:06:07.5+01:00",
        1_772_600_767.5,
        "1772600767.5",
        1_772_600_767_500,
        1_772_600_767_500_000,
        1_772_600_767_500_000_000,
    ],
)
def test_one_time_in_many_ways(said: object) -> None:
    assert clock(said) == TIME
    assert clock(None, "", said) == TIME


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (None, "no-time"),
        ([], "no-time"),
        (True, "no-time"),
        ("soon", "bad-time"),
        (0, "bad-time"),
        (-1e300, "bad-time"),
        (2**70, "bad-time"),
    ],
)
def test_what_is_counted_as_no_time(said: object, reason: str) -> None:
    with pytest.raises(Unreadable) as caught:
        clock(said)
    assert caught.value.reason == reason
