import pytest

from streams.clocks import clock
from streams.source import Unreadable

TIME = 1_772_600_767_500_000


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
def test_what_is_no_time(said: object, reason: str) -> None:
    with pytest.raises(Unreadable) as caught:
        clock(said)
    assert caught.value.reason == reason
