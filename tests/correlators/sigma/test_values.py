from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from correlators.sigma.values import (
    MISSING,
    elements,
    fold,
    folded,
    leaves,
    lookup,
    moment,
    number,
    reader,
    text,
    texts,
)


@pytest.mark.parametrize(
    ("record", "path", "value"),
    [
        ({"a": 1}, "a", 1),
        ({"a": None}, "a", None),
        ({}, "a", MISSING),
        ({"a": {"b": {"c": "x"}}}, "a.b.c", "x"),
        ({"a": {"b": 1}}, "a.b.c", MISSING),
        ({"a": "x"}, "a.b", MISSING),
        ({"a.b": 1, "a": {"b": 2}}, "a.b", 1),  # the exact key first
        ({"a.b": None, "a": {"b": 2}}, "a.b", None),  # null is there
        ({"a": [{"b": 1}, {"c": 2}, {"b": 3}]}, "a.b", [1, 3]),
        ({"a": [[{"b": 1}], [[{"b": [2]}]]]}, "a.b", [1, [2]]),
        ({"a": [{"c": 1}, "x"]}, "a.b", MISSING),
    ],
)
def test_a_path_is_an_exact_key_or_leads_into_objects_and_lists(
    record: dict[str, Any], path: str, value: object
) -> None:
    assert reader(path)(record) == value


def test_lookup_has_none_for_what_is_missing() -> None:
    assert lookup({"a": {"b": 1}}, "a.b") == 1
    assert lookup({}, "a.b") is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Plain", ["Plain"]),
        ("", [""]),
        (True, ["true"]),
        (5, ["5"]),
        (5.0, ["5"]),
        (5.5, ["5.5"]),
        (1e22, ["1e+22"]),
        (9007199254740993, ["9007199254740993"]),
        (2**70, ["1180591620717411303424"]),
        (-(2**70), ["-1180591620717411303424"]),
        (float("nan"), ["nan"]),
        (float("-inf"), ["-inf"]),
        ({"n": [2**70, "x"]}, ["1180591620717411303424\nx"]),
        (None, []),
        (MISSING, []),
        ([], []),
        (["a", [None, ["b", 1]]], ["a", "b", "1"]),
        ({"b": [1, "ä"], "a": None}, ['{"b":[1,"ä"],"a":null}']),
    ],
)
def test_a_value_has_the_texts_by_which_it_compares(value: object, expected: list[str]) -> None:
    assert list(texts(value)) == expected


def test_an_integer_that_python_does_not_write_has_hexadecimal_digits() -> None:
    assert text(2**20_000) == "1" + "0" * 5000


def test_an_object_deeper_than_the_encoder_goes_still_has_the_texts_inside() -> None:
    deep = orjson.loads(b'{"a":' * 1000 + b'"needle"' + b"}" * 1000)
    assert text(deep) == "needle"
    assert list(leaves(deep)) == ["needle"]


def test_a_list_in_a_list_in_a_list_is_followed_without_recursion() -> None:
    deep = orjson.loads(b"[" * 1000 + b'{"b":1}' + b"]" * 1000)
    assert list(elements(deep)) == [{"b": 1}]
    assert reader("a.b")({"a": deep}) == [1]


@pytest.mark.parametrize(
    ("one", "other"),
    [("ÉCOLE", "école"), ("ΟΔΟΣ", "οδοσ"), ("ΟΔΟΣΧ", "οδοσχ"), ("ПРИВЕТ", "привет")],
)
def test_case_does_not_count_beyond_ascii(one: str, other: str) -> None:
    assert fold(one) == fold(other)
    assert list(folded([one])) == [fold(other)]


def test_folding_is_not_full() -> None:
    assert fold("STRASSE") != fold("straße")


@given(st.text(), st.text())
def test_a_part_of_a_text_is_a_part_of_the_folded_text(part: str, rest: str) -> None:
    assert fold(part) in fold(part + rest)
    assert fold(part) in fold(rest + part)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, 3),
        (2.5, 2.5),
        ("10", 10),
        ("-1.5", -1.5),
        ("1e3", 1000.0),
        ("9007199254740993", 9007199254740993),
        (True, None),
        ("abc", None),
        ("", None),
        ("0x17", None),
        (" 1", None),
        ("1" * 401, None),
        (None, None),
        ({"a": 1}, None),
    ],
)
def test_a_number_is_one_or_spells_one(value: object, expected: float | None) -> None:
    assert number(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-07-01T08:30:00Z", datetime(2026, 7, 1, 8, 30, tzinfo=UTC)),
        ("2026-07-01T08:30:00+02:00", datetime(2026, 7, 1, 6, 30, tzinfo=UTC)),
        (1782864000, datetime(2026, 7, 1, tzinfo=UTC)),
        ("yesterday", None),
        (True, None),
        (None, None),
        (0.5, datetime(1970, 1, 1, microsecond=500_000, tzinfo=UTC)),
        (1e12, None),
        ("9999-12-31T23:59:59-23:00", None),
    ],
)
def test_a_moment_is_a_time_text_or_seconds(value: object, expected: datetime | None) -> None:
    found = moment(value)
    assert found == expected
