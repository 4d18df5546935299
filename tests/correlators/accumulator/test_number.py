"""Numbers: what a field says to a statistic, exact."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from correlators.accumulator.number import LARGEST, numeral


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, "5"),
        (-3, "-3"),
        (5.0, "5"),
        (0.1, "0.1"),
        (-0.0, "0"),
        (1e3, "1000"),
        ("12", "12"),
        ("-0.50", "-0.5"),
        ("1e3", "1000"),
        ("007", "7"),
        (1e-9, "0.000000001"),
        (5e-10, "0"),
        (1.5e-9, "0.000000002"),
        ("1e-9999", "0"),
        ("1e9999", "1000000000000000000"),
        (-1e300, "-1000000000000000000"),
        (10**18 + 1, "1000000000000000000"),
        ("9" * 400, "1000000000000000000"),
        (999_999_999_999_999_999, "999999999999999999"),
        ("0." + "9" * 300, "1"),
    ],
)
def test_numbers_and_texts_that_spell_one(value: object, text: str) -> None:
    assert numeral(value) == text


@pytest.mark.parametrize(
    "value",
    [None, True, False, "", "abc", "1,5", " 1", "0x10", "1_000", "NaN", "inf", [], [1], {},
     math.nan, math.inf, -math.inf, "9" * 401, "٣"],
)  # fmt: skip
def test_all_else_is_not_counted(value: object) -> None:
    assert numeral(value) is None


@given(st.one_of(st.integers(), st.floats(), st.text("0123456789.eE+-", max_size=12)))
def test_a_numeral_is_short_plain_and_its_own_numeral(value: float | str) -> None:
    text = numeral(value)
    if text is not None:
        assert len(text) <= 29
        assert "e" not in text.lower()
        assert abs(Decimal(text)) <= LARGEST
        assert numeral(text) == text
