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
    lines = [b'{"a":"x","b":null}', b'{"b":{"c":null,"d":{"e":"z"}},"g":{"a":3}}', b"{}"]
    columns = Projection(PATHS).columns(lines)
    assert columns.unusual == []
    assert columns.values == {
        "a": ["x", MISSING, MISSING],
        "b.c": [MISSING, None, MISSING],
        "b.d.e": [MISSING, "z", MISSING],
        "f": [MISSING, MISSING, MISSING],
    }


@pytest.mark.parametrize(
    "line",
    [
        b'{"a":1}',  # no text
        b'{"a":true}',
        b'{"b":{"c":["x"]}}',
        b'{"b":{"d":{"e":{}}}}',
        b'{"b":[{"c":"x"}]}',  # a list stands for its elements
        b'{"b.c":"x"}',  # the exact key comes first
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
    columns = Projection(PATHS).columns([b'{"a":"x"}', line, b'{"a":"y"}'])
    assert columns.unusual == [1]
    assert (columns.values["a"][0], columns.values["a"][2]) == ("x", "y")


def test_an_escaped_key_is_the_key() -> None:
    lines = [rb'{"\u0061":"x"}', b'{"a":"x","a":"y"}']
    assert Projection(["a"]).columns(lines).values == {"a": ["x", "y"]}


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
