"""Times and spans as options of commands."""

from __future__ import annotations

from argparse import ArgumentTypeError

import pytest

from infra.terminal.times import moment, seconds


def test_a_moment_is_an_rfc_3339_time() -> None:
    assert moment("2026-03-04T00:00:00Z") == 1_772_582_400_000_000
    with pytest.raises(ArgumentTypeError, match="not an RFC 3339 time: 'now'; give one like 2026"):
        moment("now")


def test_a_span_is_a_number_of_seconds() -> None:
    assert [seconds(text) for text in ("0", "1.5", "300", "1e3")] == [
        0,
        1_500_000,
        300_000_000,
        1_000_000_000,
    ]


@pytest.mark.parametrize("text", ["", "x", "nan", "inf", "-1", "1e99"])
def test_nothing_else_is(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="is no number of seconds from 0 to a year"):
        seconds(text)
