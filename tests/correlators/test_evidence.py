"""Evidence: what a body lists, each once, and of long lists the first and last."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from correlators.evidence import SHOWN, listed, shown, union


def test_evidence_is_listed_once_in_order() -> None:
    assert listed([("b", "2"), ("a", "1"), ("b", "2")]) == [
        {"event": "b", "sha256": "2"},
        {"event": "a", "sha256": "1"},
    ]


def test_a_union_keeps_the_order_of_first_appearance() -> None:
    assert union([["b", "a"], [], ["a", "c", "b"]]) == ("b", "a", "c")


def test_of_a_long_list_the_first_and_the_last_are_shown() -> None:
    assert shown([], range(50)) == [*range(20), *range(30, 50)]
    assert shown([], range(40)) == list(range(40))


@given(items=st.lists(st.integers(0, 99), max_size=80), cut=st.integers(0, 80))
def test_what_is_shown_does_not_depend_on_how_it_came(items: list[int], cut: int) -> None:
    distinct = list(dict.fromkeys(items))
    once = shown([], distinct)
    assert shown(shown([], distinct[:cut]), distinct[cut:]) == once
    assert len(once) <= 2 * SHOWN
