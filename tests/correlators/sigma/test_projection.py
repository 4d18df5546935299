"""Columns hold what a full decoding finds, and what is unusual is said to be so."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from correlators.sigma.projection import Projection, fits
from correlators.sigma.values import MISSING, reader

PATHS = ("a", "b.c", "b.d.e", "f")
LEAVES = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3)
KEYS = st.sampled_from(("a", "b", "c", "d", "e", "f", "b.c", "g"))
RECORDS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(RECORDS, max_size=6))
def test_columns_are_what_a_full_decoding_finds(records: list[Any]) -> None:
    columns = Projection(PATHS).columns([orjson.dumps(record) for record in records])
    for n, record in enumerate(records):
        if n not in columns.unusual:
            assert {p: columns.values[p][n] for p in PATHS} == {p: reader(p)(record) for p in PATHS}


def test_the_usual_is_not_unusual() -> None:
    lines = [b'{"a":"x","b":null}', b'{"b":{"c":1,"d":{"e":[2]}},"g":{"a":3}}', b"{}"]
    columns = Projection(PATHS).columns(lines)
    assert columns.unusual == []
    assert columns.values == {
        "a": ["x", MISSING, MISSING],
        "b.c": [MISSING, 1, MISSING],
        "b.d.e": [MISSING, [2], MISSING],
        "f": [MISSING, MISSING, MISSING],
    }


@pytest.mark.parametrize(
    "line",
    [
        b'{"b":[{"c":1}]}',  # a list stands for its elements
        b'{"b.c":1}',  # the exact key comes first
        b'{"b":"text"}',
        b'{"a":"\xff"}',
        b'{"g":"\xff"}',  # in what is not looked at
        b'{"a":1',
        b'{"g":01}',
        b"[1]",
        b"",
        b'{"b":{"d":' + b"[" * 5000 + b"]" * 5000 + b"}}",
    ],
)
def test_another_shape_is_unusual(line: bytes) -> None:
    columns = Projection(PATHS).columns([b'{"a":1}', line, b'{"a":2}'])
    assert columns.unusual == [1]
    assert (columns.values["a"][0], columns.values["a"][2]) == (1, 2)


def test_an_escaped_key_is_the_key() -> None:
    assert Projection(["a"]).columns([rb'{"\u0061":1}', b'{"a":1,"a":2}']).values == {"a": [1, 2]}


@pytest.mark.parametrize(
    ("paths", "fit"),
    [
        (("a", "b.c", "b.d.e"), True),
        (("a", "a.b"), False),
        (("a.b.c", "a.b"), False),
        (("a..b",), False),
        (("",), False),
        (('a"b',), False),
    ],
)
def test_no_path_leads_through_another(paths: tuple[str, ...], *, fit: bool) -> None:
    assert fits(paths) == fit
