"""Times: microseconds inside, RFC 3339 outside, and nothing lost between them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from schemas.times import (
    BEGINNING,
    DAY,
    END,
    HOUR,
    LONGEST,
    MINUTE,
    SECOND,
    Duration,
    Time,
    duration,
    instant,
    parse,
    rfc3339,
)

FIRST, LAST = -62_135_596_800 * SECOND, 253_402_300_799 * SECOND  # years 1 and 9999
NOON = 1_767_614_400 * SECOND  # 2026-01-05T12:00:00Z


@given(st.integers(FIRST, LAST))
def test_a_time_comes_back_as_it_was(micros: int) -> None:
    text = rfc3339(micros)
    assert parse(text) == micros
    assert len(text) == 27


@given(st.integers(0, LAST // SECOND), st.integers(1, 12), st.data())
def test_digits_behind_a_microsecond_are_cut(second: int, length: int, data: st.DataObject) -> None:
    digits = data.draw(st.text("0123456789", min_size=length, max_size=length))
    text = f"{rfc3339(second * SECOND)[:19]}.{digits}"
    micros = second * SECOND + int(digits[:6].ljust(6, "0"))
    assert parse(f"{text}Z") == parse(f"{text}+00:00") == micros


@given(st.integers(FIRST, LAST), st.integers(FIRST, LAST))
def test_texts_sort_as_times_do(one: int, other: int) -> None:
    assert (rfc3339(one) < rfc3339(other)) == (one < other)


@given(st.text(max_size=40))
def test_no_text_is_a_crash(text: str) -> None:
    for read in (parse, duration):
        with suppress(ValueError):
            assert isinstance(read(text), int)


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("2026-01-05T12:00:00Z", NOON),
        ("2026-01-05T12:00:00.000001Z", NOON + 1),
        ("2026-01-05T12:00:00.1234567Z", NOON + 123_456),
        ("2026-01-05T12:00:00.5Z", NOON + SECOND // 2),
        ("2026-01-05 12:00:00.250Z", NOON + SECOND // 4),
        ("2026-01-05T12:00:00.999999999999Z", NOON + 999_999),
        ("2026-01-05t12:00:00,5z", NOON + SECOND // 2),
        ("2026-01-05 12:00:00 UTC", NOON),
        ("2026-01-05T12:00:00", NOON),
        ("2026-01-05T14:00:00+02:00", NOON),
        ("2026-01-05T06:30:00-0530", NOON),
        (" 2026-01-05T12:00:00Z\n", NOON),
        ("1969-12-31T23:59:59.999999Z", -1),
    ],
)
def test_an_rfc_3339_text_is_a_moment(text: str, micros: int) -> None:
    assert parse(text) == micros


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-05",
        "12:00:00",
        "2026-13-05T12:00:00Z",
        "2026-02-30T12:00:00Z",
        "2026-01-05T12:00:60Z",
        "2026-01-05T12:00:00+99:99",
        "2026-01-05T12:00:00.Z",
        "2026-01-05T12:00:00.1234567890123Z",
        "2026-01-05T12:00:00.12 45Z",
        "2026-01-05T12:00:00.٣٣٣Z",
        "2026-01-05T12:00:60.123Z",
        "2026-01-05T12:00Z00.123Z",
        "x026-01-05T12:00:00.123Z",
        "٢٠٢٦-01-05T12:00:00Z",
        "2026-01-05T12:00:00Z; DROP",
    ],
)
def test_any_other_text_is_not(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(text)


@pytest.mark.parametrize(
    ("value", "micros"),
    [
        ("2026-01-05T12:00:00Z", NOON),
        (0, 0),
        (1.5, 1_500_000),
        (1_767_614_400, NOON),
        (-1, -SECOND),
    ],
)
def test_a_moment_is_a_text_or_seconds(value: object, micros: int) -> None:
    assert instant(value) == micros


@pytest.mark.parametrize("value", [None, True, [], "now", float("nan"), float("inf"), 1e12])
def test_nothing_else_is_a_moment(value: object) -> None:
    with pytest.raises(ValueError, match="not a"):
        instant(value)


def test_open_ends_are_shown_as_their_nearest_year() -> None:
    assert rfc3339(BEGINNING) == "0001-01-01T00:00:00.000000Z"
    assert rfc3339(END) == "9999-12-31T23:59:59.000000Z"


@pytest.mark.parametrize(
    ("text", "micros"),
    [("30s", 30 * SECOND), ("15m", 15 * MINUTE), ("24h", DAY), ("7d", 7 * DAY), (" 1 h ", HOUR)],
)
def test_a_timespan_has_a_unit(text: str, micros: int) -> None:
    assert duration(text) == micros


@pytest.mark.parametrize("text", ["", "30", "1w", "1.5h", "-1h", "1h30m", "1234567890s", "٣s"])
def test_nothing_else_is_a_timespan(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration like 30s, 15m, 24h or 7d"):
        duration(text)


def test_no_timespan_is_so_long_that_times_are_no_64_bits() -> None:
    assert duration("36500d") == LONGEST
    for text in ("36501d", "999999999d", "876001h"):
        with pytest.raises(ValueError, match=f"longer than 36500d: '{text}'"):
            duration(text)


def test_a_field_is_held_as_microseconds_and_written_as_rfc_3339() -> None:
    time = TypeAdapter[int](Time)
    assert time.validate_python("2026-01-05T12:00:00Z") == NOON
    assert time.validate_python(NOON) == NOON
    assert time.dump_python(NOON) == NOON
    assert time.dump_json(NOON) == b'"2026-01-05T12:00:00.000000Z"'
    assert time.json_schema() == {"type": "string", "format": "date-time"}
    span = TypeAdapter[int](Duration)
    assert span.validate_python("15m") == span.validate_python(15 * MINUTE) == 15 * MINUTE
    for adapter in (time, span):
        with pytest.raises(ValidationError):
            adapter.validate_python([])
