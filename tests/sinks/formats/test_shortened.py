"""What is cut from an alert that is too large, in which order, and that it says so."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from sinks.formats.shortened import NEEDED_LEAST, shortened
from tests.sinks.alerts import body


def size(told: dict[str, Any]) -> int:
    return len(orjson.dumps(told))


def test_what_fits_stays_as_it_is() -> None:
    told = body("a")
    assert shortened(told, lambda _: True) is told


def test_the_newest_line_of_the_timeline_stays() -> None:
    told = body("a")
    cut = shortened(told, lambda one: "shortened" in one)
    assert cut == told | {"timeline": told["timeline"][-1:], "shortened": ["timeline"]}


def test_the_facts_stay_whatever_is_cut() -> None:
    told = body("a")
    cut = shortened(told, lambda _: False)
    assert cut["shortened"] == list(NEEDED_LEAST)
    assert cut == told | {name: [] for name in NEEDED_LEAST} | {
        "timeline": told["timeline"][-1:],
        "shortened": list(NEEDED_LEAST),
    }
    assert "shortened" not in told


def test_what_is_not_there_is_not_said_to_be_cut() -> None:
    told = body("a", timeline=[], path=[], why=[], evidence=[])
    del told["findings"]
    assert shortened(told, lambda _: False)["shortened"] == ["next", "entities", "actions"]


@given(st.integers(0, 4000))
def test_no_more_is_cut_than_must_be(limit: int) -> None:
    told = body("a")
    cut = shortened(told, lambda one: size(one) <= limit)
    if "shortened" not in cut:
        assert size(told) <= limit
        return
    *kept, last = cut["shortened"]
    before = {**cut, last: told[last], "shortened": kept}
    assert size(before if kept else told) > limit
    assert size(cut) <= limit or cut["shortened"] == list(NEEDED_LEAST)
