"""The score: Polars, DuckDB and Python's integers agree, and more evidence gives more points."""

import random
from collections.abc import Iterator
from decimal import ROUND_CEILING, Decimal, localcontext
from typing import NamedTuple

import duckdb
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from correlators import score

DAY = 86_400


class Term(NamedTuple):
    alert: int
    term: str
    weight: int
    severity: int
    confidence: int
    age: int
    half_life: int


def reference(term: Term) -> int:
    """The definition, with whole numbers of any size and one division."""
    half_life = min(max(term.half_life, 0), score.MAX_HALF_LIFE)
    halvings, rest = divmod(max(term.age, 0), half_life) if half_life else (0, 0)
    fading = 2 * half_life - rest if half_life else 2
    whole = 2 * (half_life or 1) * (1 << min(halvings, 20)) * 10**6
    weight = min(max(term.weight, -5000), 5000)
    milli = [min(max(m, 0), 1000) for m in (term.severity, term.confidence)]
    return (weight > 0 or -1) * (abs(weight) * milli[0] * milli[1] * fading // whole)


def frame(*terms: Term) -> pl.DataFrame:
    return pl.DataFrame(terms, schema=score.SCHEMA, orient="row")


def points(*terms: Term) -> list[int]:
    found: list[int] = score.points(frame(*terms))["points"].to_list()
    return found


@pytest.fixture(scope="module")
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(score.SQL)
        yield connection


half_lives = st.one_of(
    st.sampled_from([0, 1, 3, DAY, 3 * DAY, score.MAX_HALF_LIFE, score.MAX_HALF_LIFE + 7]),
    st.integers(0, 10 * DAY),
)
terms = st.builds(
    Term,
    alert=st.integers(0, 3),
    term=st.just("t"),
    weight=st.integers(-5100, 5100),
    severity=st.integers(-10, 1010),
    confidence=st.integers(-10, 1010),
    age=st.one_of(st.integers(-5, 40 * DAY), st.integers(0, 2**62)),
    half_life=half_lives,
)
FULL = Term(0, "runtime", 2000, 1000, 1000, 0, DAY)


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        (FULL, 2000),
        (FULL._replace(age=DAY), 1000),
        (FULL._replace(age=DAY // 2), 1500),
        (FULL._replace(age=DAY + DAY // 2), 750),
        (FULL._replace(age=2 * DAY), 500),
        (FULL._replace(age=400 * DAY), 0),
        (FULL._replace(age=400 * DAY, half_life=0), 2000),
        (FULL._replace(severity=800, confidence=700), 1120),
        (FULL._replace(weight=7, severity=999), 6),
        (FULL._replace(weight=-7, severity=999), -6),
        (FULL._replace(weight=-5000, half_life=score.MAX_HALF_LIFE), -5000),
        (FULL._replace(weight=0), 0),
    ],
)
def test_points_are_weight_times_evidence_rounded_towards_nothing(
    term: Term, expected: int
) -> None:
    assert points(term) == [expected] == [reference(term)]


@given(st.lists(terms, min_size=1, max_size=30))
def test_polars_gives_the_definition(some: list[Term]) -> None:
    assert points(*some) == [reference(term) for term in some]


@given(st.lists(terms, min_size=1, max_size=30))
def test_duckdb_recomputes_the_same_points_totals_and_priorities(
    duck: duckdb.DuckDBPyConnection, some: list[Term]
) -> None:
    ledger = score.points(frame(*some))
    duck.execute("CREATE OR REPLACE TEMP TABLE terms AS SELECT * FROM ledger")
    again = duck.sql(
        "SELECT barograph_points(weight, severity, confidence, age, half_life) = points FROM terms"
    )
    assert {same for (same,) in again.fetchall()} == {True}
    sums = duck.sql(
        "SELECT alert, sum(points) AS total, barograph_priority(total) FROM terms GROUP BY alert"
    )
    assert sorted(sums.fetchall()) == sorted(score.totals(ledger).iter_rows())


@given(terms, st.integers(0, 500), st.integers(0, 500), st.integers(0, 500))
def test_more_evidence_gives_no_fewer_points(term: Term, weight: int, milli: int, age: int) -> None:
    term = term._replace(weight=abs(term.weight))
    more = (
        term._replace(weight=term.weight + weight),
        term._replace(severity=term.severity + milli),
        term._replace(confidence=term.confidence + milli),
        term._replace(age=max(term.age, 0) - age),
    )
    assert min(points(*more)) >= points(term)[0]


@given(terms)
def test_points_are_bounded_by_the_weight(term: Term) -> None:
    assert 0 <= points(term)[0] * (1 if term.weight > 0 else -1) <= abs(term.weight)


@given(st.lists(terms, min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_the_order_of_the_terms_does_not_matter(some: list[Term], chance: random.Random) -> None:
    shuffled = chance.sample(some, len(some))
    one, other = (score.totals(score.points(frame(*rows))) for rows in (some, shuffled))
    assert sorted(one.iter_rows()) == sorted(other.iter_rows())


def test_a_ledger_that_has_faded_stands_at_its_base() -> None:
    base = Term(0, "base", -2200, 1000, 1000, 0, 0)
    old = FULL._replace(age=30 * DAY)
    assert list(score.totals(score.points(frame(base, old))).iter_rows()) == [(0, -2200, 10)]


def test_rows_keep_their_order_and_alerts_come_as_they_first_appear() -> None:
    rows = [FULL._replace(alert=n, weight=w) for n, w in ((7, 100), (2, 200), (7, 300))]
    assert points(*rows) == [100, 200, 300]
    assert list(score.totals(score.points(frame(*rows))).iter_rows()) == [
        (7, 400, 60),
        (2, 200, 55),
    ]


def test_a_threshold_is_the_least_total_of_its_priority() -> None:
    with localcontext(prec=50):
        odds = [Decimal(2 * p - 1) / Decimal(201 - 2 * p) for p in range(1, 101)]
        exact = [int((1000 * o.ln()).to_integral_value(ROUND_CEILING)) for o in odds]
    assert list(score.THRESHOLDS) == exact


@pytest.mark.parametrize(
    ("total", "priority"),
    [(-100_000, 0), (-5294, 0), (-5293, 1), (-2200, 10), (0, 50), (5293, 99), (5294, 100)],
)
def test_a_priority_is_the_probability_in_per_cent(total: int, priority: int) -> None:
    assert score.priority(total) == priority


@pytest.mark.parametrize(
    ("families", "expected"),
    [((), 0), ((700,), 700), ((700, 700), 910), ((500, 500, 500), 875), ((333, 333), 555)],
)
def test_confidence_is_that_of_at_least_one_family(
    families: tuple[int, ...], expected: int
) -> None:
    assert score.confidence(families) == expected


@given(st.lists(st.integers(-5, 1005), max_size=20))
def test_confidence_has_no_order_and_grows_with_families(families: list[int]) -> None:
    whole = score.confidence(families)
    assert whole == score.confidence(sorted(families)) <= 1000
    assert whole >= max((score.confidence([family]) for family in families), default=0)
