"""Score: terms of evidence as integer points, their sum, and the sum's priority from 0 to 100.

A point is a thousandth of a natural log-odds unit. All arithmetic is on 64-bit integers, so Polars
here and DuckDB with `SQL` give the same numbers on any machine, thread count and order of rows.
"""

# pyright: reportUnknownMemberType=false
# Polars annotates its arguments with types of packages that are not installed here.

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from math import prod

import polars as pl

MAX_WEIGHT = 5_000  # points
MAX_HALF_LIFE = 10 * 366 * 86_400  # seconds; weight x milli x milli x twice this fits 64 bits
MAX_HALVINGS = 20  # 2^20 is more than MAX_WEIGHT: nothing is left by then

# One row is one term of one alert's ledger. What lies outside its range counts as its bound.
SCHEMA = pl.Schema(
    {
        "alert": pl.Int64,  # or any other type that groups
        "term": pl.String,
        "weight": pl.Int32,  # points of full evidence, -MAX_WEIGHT..MAX_WEIGHT
        "severity": pl.Int32,  # thousandths
        "confidence": pl.Int32,  # thousandths
        "age": pl.Int64,  # seconds
        "half_life": pl.Int64,  # seconds; 0 = does not fade
    }
)

# THRESHOLDS[p - 1] is the least total of priority p: ceil(1000 x logit((p - 0.5) / 100)), so that
# a priority is a probability in per cent, rounded. Written out: no float takes part.
# fmt: off
THRESHOLDS = (
    -5293, -4184, -3663, -3316, -3055, -2843, -2666, -2512, -2376, -2254,
    -2142, -2040, -1945, -1857, -1774, -1695, -1621, -1550, -1482, -1417,
    -1355, -1295, -1236, -1180, -1125, -1072, -1020, -969, -919, -871,
    -823, -776, -730, -685, -641, -597, -553, -510, -468, -426,
    -384, -343, -302, -261, -220, -180, -140, -100, -60, -20,
    21, 61, 101, 141, 181, 221, 262, 303, 344, 385,
    427, 469, 511, 554, 598, 642, 686, 731, 777, 824,
    872, 920, 970, 1021, 1073, 1126, 1181, 1237, 1296, 1356,
    1418, 1483, 1551, 1622, 1696, 1775, 1858, 1946, 2041, 2143,
    2255, 2377, 2513, 2667, 2844, 3056, 3317, 3664, 4185, 5294,
)
# fmt: on


def points(frame: pl.DataFrame) -> pl.DataFrame:
    """`frame` (SCHEMA, further columns allowed) with the column `points`, rows in their order.

    points = weight x severity x confidence x fading, the magnitude rounded down: the one place
    where the ledger rounds. Fading is 2^(-age / half_life), linear between whole half-lives.
    """
    return frame.with_columns(points=_POINTS)


def totals(frame: pl.DataFrame) -> pl.DataFrame:
    """alert, total and priority of a frame with `points`, one row per alert as they first appear.

    A ledger is whole: an alert's base is a term like any other.
    """
    summed = frame.group_by("alert", maintain_order=True).agg(total=pl.col("points").sum())
    thresholds = pl.Series(THRESHOLDS, dtype=pl.Int64)
    priorities = thresholds.search_sorted(summed["total"], side="right")
    return summed.with_columns(priorities.cast(pl.Int32).alias("priority"))


def priority(total: int) -> int:
    """0 to 100: the probability in per cent whose log-odds are `total` thousandths."""
    return bisect_right(THRESHOLDS, total)


def confidence(families: Iterable[int]) -> int:
    """Thousandths: at least one of the independent families (thousandths each) is right.

    1 - the product of the doubts, rounded down once at the end, so that order does not matter.
    """
    doubts = [1000 - min(max(c, 0), 1000) for c in families]
    whole = 1000 ** len(doubts)
    return int(1000 * (whole - prod(doubts)) // whole)


def _points() -> pl.Expr:
    def column(name: str, least: int, most: int | None = None) -> pl.Expr:
        return pl.col(name).cast(pl.Int64).clip(least, most)

    weight = column("weight", -MAX_WEIGHT, MAX_WEIGHT)
    life = column("half_life", 1, MAX_HALF_LIFE)
    age = pl.when(pl.col("half_life") > 0).then(column("age", 0)).otherwise(0)
    halvings = (age // life).clip(0, MAX_HALVINGS)
    full = weight.abs() * column("severity", 0, 1000) * column("confidence", 0, 1000)
    # One division after the other rounds down as division by their product, which would overflow.
    faded = full * (2 * life - age % life) // (2 * life) // pl.lit(2, pl.Int64).pow(halvings)
    return weight.sign() * (faded // 1_000_000)


_POINTS = _points()

# For DuckDB: two macros that recompute a stored ledger. The total is the sum of its points.
SQL = f"""
CREATE OR REPLACE MACRO barograph_within(x, least, most) AS
    greatest(least, least(most, x::BIGINT));
CREATE OR REPLACE MACRO barograph_fading_age(age, half_life) AS
    CASE WHEN half_life > 0 THEN greatest(0, age::BIGINT) ELSE 0 END;
CREATE OR REPLACE MACRO barograph_faded(full_points, age, life) AS
    full_points * (2 * life - age % life) // (2 * life)
        // (1::BIGINT << least(age // life, {MAX_HALVINGS}));
CREATE OR REPLACE MACRO barograph_points(weight, severity, confidence, age, half_life) AS
    CAST(sign(weight) AS BIGINT) * (barograph_faded(
        barograph_within(abs(weight), 0, {MAX_WEIGHT})
            * barograph_within(severity, 0, 1000) * barograph_within(confidence, 0, 1000),
        barograph_fading_age(age, half_life),
        barograph_within(half_life, 1, {MAX_HALF_LIFE})
    ) // 1000000);
CREATE OR REPLACE MACRO barograph_priority(total) AS
    CAST(len(list_filter({list(THRESHOLDS)}, lambda least: least <= total)) AS INTEGER);
"""
