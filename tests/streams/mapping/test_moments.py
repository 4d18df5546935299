"""Times as formats write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.mapping.moments import format_
from streams.mapping.terms import Place, Term, Wrong
from streams.source import Unreadable

NOON = 1_772_600_400_000_000  # 2026-03-04T05:00:00Z


def micros(said: object, form: str = "rfc3339", zone: str | None = None) -> int:
    return format_(form, zone).micros(Term(value=said), Place(None, None, None))


@pytest.mark.parametrize(
    ("said", "form", "zone"),
    [
        ("2026-03-04T05:00:00Z", "rfc3339", None),
        (1772600400, "epoch_s", None),
        ("1772600400.000", "epoch_s", None),
        (1772600400.0, "epoch_s", None),
        (1772600400000, "epoch_ms", None),
        (1772600400000000, "epoch_us", None),
        ("1772600400000000999", "epoch_ns", None),
        ("2026-03-04 05:00:00", "%Y-%m-%d %H:%M:%S", None),
        ("04/Mar/2026 07:00:00", "%d/%b/%Y %H:%M:%S", "+02:00"),
        ("2026-03-03 22:30", "%Y-%m-%d %H:%M", "-06:30"),
        ("2026-03-04T06:00:00.000+0100", "%Y-%m-%dT%H:%M:%S.%f%z", "+02:00"),
    ],
)
def test_one_moment(said: object, form: str, zone: str | None) -> None:
    assert micros(said, form, zone) == NOON


def test_parts_of_a_second() -> None:
    assert micros("1772600400.25", "epoch_s") == NOON + 250_000
    assert micros("1772600400000.5", "epoch_ms") == NOON + 500


@pytest.mark.parametrize(
    ("said", "form", "reason"),
    [
        (None, "epoch_s", "no-time"),
        ("", "%Y", "no-time"),
        ("1e9", "epoch_s", "bad-time"),
        ("nan", "epoch_s", "bad-time"),
        (True, "epoch_s", "bad-time"),
        (5, "epoch_s", "bad-time"),  # a clock that was never set
        (1772600400, "epoch_ms", "bad-time"),  # of another unit
        ("2026-02-30", "%Y-%m-%d", "bad-time"),
        ("2026-03-04" + " " * 100, "%Y-%m-%d", "bad-time"),
    ],
)
def test_no_moment(said: object, form: str, reason: str) -> None:
    with pytest.raises(Unreadable) as caught:
        micros(said, form)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("form", "zone"),
    [("iso", None), ("%c", None), ("%Y %", None), ("epoch_s", "+01:00"), ("%Y", "CET"), (3, None)],
)
def test_no_format(form: object, zone: str | None) -> None:
    with pytest.raises(Wrong):
        format_(form, zone)


@given(st.text(max_size=80), st.sampled_from(["epoch_ns", "%Y-%m-%dT%H:%M:%S%z", "%d %b %y %p"]))
def test_any_text_is_a_time_or_unreadable(said: str, form: str) -> None:
    try:
        found = micros(said, form)
    except Unreadable:
        return
    assert found > 0
