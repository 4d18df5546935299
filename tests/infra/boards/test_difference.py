"""In what two copies of a thing differ."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.boards.difference import differences

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)
THINGS = st.dictionaries(st.text(max_size=2), VALUES, max_size=3)


def said(ours: dict[str, Any], theirs: dict[str, Any], *, stated: bool = False) -> list[str]:
    return [str(one) for one in differences(ours, theirs, stated=stated)]


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ({"a": 1}, {"a": 1, "id": 7, "version": 3, "schemaVersion": 42}, []),
        ({"a": None, "b": []}, {"c": "", "d": {}}, []),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, ["a.b: 1 here, 2 on the server"]),
        ({"a": 1}, {}, ["a: 1 here, - on the server"]),
        ({}, {"a": False}, ["a: - here, false on the server"]),
        (
            {"panels": [{"id": 1, "title": "A"}, {"id": 2, "title": "B"}]},
            {"panels": [{"id": 2, "title": "C"}, {"id": 1, "title": "A"}]},
            ["panels[2].title: B here, C on the server"],
        ),
        ({"l": [1, 2]}, {"l": [1]}, ["l: [1,2] here, [1] on the server"]),
        ({"a": "x" * 70}, {"a": "y"}, [f"a: {'x' * 57}... here, y on the server"]),
    ],
)
def test_differences(ours: dict[str, Any], theirs: dict[str, Any], expected: list[str]) -> None:
    assert said(ours, theirs) == expected


def test_what_only_the_server_states_may_be_left_out() -> None:
    ours, theirs = {"a": {"b": 1}}, {"a": {"b": 1, "c": 2}, "d": 3}
    assert said(ours, theirs) == ["a.c: - here, 2 on the server", "d: - here, 3 on the server"]
    assert said(ours, theirs, stated=True) == []


@given(THINGS)
def test_a_thing_does_not_differ_from_itself(thing: dict[str, Any]) -> None:
    assert said(thing, thing) == []


@given(THINGS, THINGS)
def test_a_difference_is_seen_from_both_sides(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert bool(said(one, other)) == bool(said(other, one))
