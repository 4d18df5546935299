"""The Ticks of many inputs told as one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from correlators.document import Document
from correlators.ruleset import parse
from schemas.rows import Tick
from schemas.times import BEGINNING, END
from streams.bundle import LOGS, OTHERS, Bundle, bundled

MEMBERS = ["a", "b", "c"]


def test_nothing_is_told_until_every_member_was_heard() -> None:
    bundle = Bundle("all", MEMBERS, None)
    assert list(bundle.heard(Tick("a", 0, 5, 5))) == []
    assert list(bundle.heard(Tick("b", 0, 7, 7))) == []
    assert list(bundle.heard(Tick("c", 0, 6, 6))) == [Tick("all", 0, 5, 7)]
    assert list(bundle.heard(Tick("b", 0, 9, 9))) == []
    assert list(bundle.heard(Tick("a", 0, END, BEGINNING))) == [Tick("all", 0, 6, 9)]


def test_at_the_end_the_clock_is_the_latest() -> None:
    bundle = Bundle("all", MEMBERS, None)
    told = [
        t
        for m, clock in zip(MEMBERS, (3, 9, 4), strict=True)
        for t in bundle.heard(Tick(m, 0, END, clock))
    ]
    assert told == [Tick("all", 0, END, 9)]


@given(st.lists(st.tuples(st.sampled_from(MEMBERS), st.integers(0, 9)), max_size=30))
def test_it_tells_the_lowest_each_time_that_it_moves(steps: list[tuple[str, int]]) -> None:
    bundle, marks, told = Bundle("all", MEMBERS, None), dict.fromkeys(MEMBERS, BEGINNING), BEGINNING
    for member, step in steps:
        marks[member] = max(marks[member], 0) + step
        heard = [tick.watermark for tick in bundle.heard(Tick(member, 0, marks[member], 0))]
        lowest = min(marks.values())
        assert heard == ([lowest] if lowest > told else [])
        told = max(told, lowest)


def test_inputs_are_bundled_by_who_reads_them() -> None:
    rules = parse(
        [
            Document(
                "trail.yml",
                "title: trail\nname: trail\nlogsource: {product: aws, service: cloudtrail}\n"
                "detection: {s: {eventName: x}, condition: s}\n",
            ),
            Document(
                "many.yml",
                "title: many\nname: many\ncorrelation:\n  type: event_count\n  rules: [trail]\n"
                "  group-by: [user]\n  timespan: 1m\n  condition: {gte: 2}\n",
            ),
        ]
    )
    found = bundled(rules, {"1": ("cloudtrail",), "2": ("trivy",), "3": None, "4": ()})
    assert {name: (bundle.name, bundle.carried) for name, bundle in found.items()} == {
        "1": (LOGS, None),
        "2": (OTHERS, ()),
        "3": (LOGS, None),
        "4": (OTHERS, ()),
    }
    assert found["1"] is found["3"]
