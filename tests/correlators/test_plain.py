"""The plain ledger against that of the frame: the same numbers, the same order."""

from __future__ import annotations

import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st

from correlators import plain, priority, score
from correlators.ledger import Case, Change
from tests.correlators.test_ledger import SENSITIVE, cases

changes = st.lists(
    st.builds(
        Change,
        st.text("abc", max_size=2),
        st.frozensets(st.sampled_from(["runtime", "change", "posture", "intel"])),
        st.booleans(),
    ),
    max_size=4,
)


@given(st.lists(st.tuples(cases, changes), min_size=1, max_size=5))
@example([(SENSITIVE, [Change("hide", hides=True)])])
def test_both_say_the_same(asked: list[tuple[Case, list[Change]]]) -> None:
    some, ends = [case for case, _ in asked], [changes for _, changes in asked]
    plainly, framed = priority._plainly(some, ends), priority._framed(some, ends)  # noqa: SLF001
    assert [list(one) for one in plainly] == [list(one) for one in framed]


@given(
    weight=st.integers(-6_000, 6_000),
    severity=st.integers(-5, 1_100),
    confidence=st.integers(-5, 1_100),
    age=st.integers(-(10**6), 10**12),
    half_life=st.one_of(st.integers(-1, 100), st.integers(0, 2 * score.MAX_HALF_LIFE)),
)
@example(weight=-5_000, severity=999, confidence=999, age=7, half_life=3)
def test_points_of_any_row(
    weight: int, severity: int, confidence: int, age: int, half_life: int
) -> None:
    row = (0, "term", weight, severity, confidence, age, half_life)
    frame = score.points(pl.DataFrame([row], schema=score.SCHEMA, orient="row"))
    assert plain.points(*row[2:]) == frame["points"].item()
