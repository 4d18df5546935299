"""Ledger: the strands of evidence of an alert and what its system is like, as terms of the score.

Laws:
1. Inside a family only the strongest strand counts: a duplicate changes nothing.
2. Every term but the base is a weight times the strength of a strand, so that an alert whose
   evidence has faded or was taken back stands at the base, however exposed its system is.
3. More severity, more confidence or less age of any strand never lowers the total.
"""

# pyright: reportUnknownMemberType=false
# Polars annotates its arguments with types of packages that are not installed here.

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple, cast

import polars as pl
import yaml
from pydantic import Field

from correlators.score import MAX_HALF_LIFE, MAX_WEIGHT, SCHEMA, points, totals
from correlators.standing import Strand
from schemas.convergence import LegClass
from schemas.event import Level, Record
from schemas.times import SECOND, Duration

# While a ledger is made, a row also has the strand that it leans on, its place and its rivalry.
CANDIDATES = pl.Schema(
    [*SCHEMA.items(), ("strand", pl.Int64), ("place", pl.Int32), ("rival", pl.String)]
)
EVIDENCE, CORROBORATION, AMPLIFIER = 1, 2, 3


class Case(NamedTuple):
    """What an alert rests on at the time `at`; unknown is None or empty, which adds nothing."""

    at: int
    strands: Sequence[Strand]
    walked: bool = False
    likely: bool = False
    exposure: str | None = None
    data: Collection[str] = ()
    criticality: str | None = None


class Change(NamedTuple):
    """Something that can be done: it ends the legs `removes`, and the exposure if it `hides`."""

    name: str
    removes: frozenset[str] = frozenset()
    hides: bool = False


class Relief(NamedTuple):
    """What a case would be worth after a change."""

    change: Change
    total: int
    priority: int


class Weight(Record):
    """Points of full evidence, after how long half of them are left, and why."""

    weight: int = Field(ge=-MAX_WEIGHT, le=MAX_WEIGHT)
    half_life: Duration = Field(default=0, ge=0, le=MAX_HALF_LIFE * SECOND)
    reason: str = Field(min_length=1)


class Weights(Record):
    """The file score.yml."""

    base: Weight
    severities: dict[Level, int]
    classes: dict[LegClass, Weight]
    corroboration: Weight
    walked: Weight
    likely: Weight
    exposure: dict[str, Weight]
    data: dict[str, Weight]
    criticality: dict[str, Weight]


@cache
def builtin() -> Weights:
    """The weights that the package brings."""
    text = files("correlators").joinpath("score.yml").read_text("utf-8")
    return Weights.model_validate(yaml.safe_load(text))


def ledger(cases: Sequence[Case], weights: Weights | None = None) -> pl.DataFrame:
    """The terms that count, with `points`: `alert` is the index of the case, `strand` that in it.

    A case's base comes first, then evidence, corroboration, amplifiers, each the strongest first.
    """
    rows = [
        row for n, case in enumerate(cases) for row in candidates(n, case, weights or builtin())
    ]
    strongest = (
        points(pl.DataFrame(rows, schema=CANDIDATES, orient="row"))
        .sort("points", "strand", descending=[True, False])
        .unique(["alert", "place", "rival"], keep="first", maintain_order=True)
        .sort("alert", "place", "points", "term", descending=[False, False, True, False])
    )
    # The strongest family is the one that the others corroborate.
    first = pl.int_range(pl.len()).over("alert", "place") == 0
    return strongest.remove((pl.col("place") == CORROBORATION) & first).drop("place", "rival")


def value(points: int, weight: int) -> float:
    """The share of its weight that a term has, in millionths: the least that gives these points."""
    return -(-abs(points) * 1_000_000 // abs(weight)) / 1_000_000 if weight else 0.0


def removable(case: Case) -> tuple[Change, ...]:
    """Each leg of the case alone, and hiding the system where it is exposed."""
    legs = tuple(Change(leg, frozenset({leg})) for leg in sorted({s.leg for s in case.strands}))
    return (*legs, Change("exposure", hides=True)) if case.exposure else legs


def counterfactual(
    cases: Sequence[Case],
    changes: Sequence[Sequence[Change]] | None = None,
    weights: Weights | None = None,
) -> tuple[tuple[Relief, ...], ...]:
    """What each case's changes (default: `removable`) would leave, the greatest relief first.

    Equal totals: the change that ends fewer legs first, then by name. One frame for all cases.
    """
    asked = [removable(case) for case in cases] if changes is None else changes
    flat = [(n, change) for n, some in enumerate(asked) for change in some]
    after = totals(ledger([without(cases[n], change) for n, change in flat], weights))
    reliefs: list[list[Relief]] = [[] for _ in cases]
    for (n, change), (_, total, priority) in zip(flat, after.iter_rows(), strict=True):
        reliefs[n].append(Relief(change, total, priority))
    return tuple(tuple(sorted(some, key=by_relief)) for some in reliefs)


def by_relief(relief: Relief) -> tuple[int, int, str]:
    """The order of reliefs."""
    return relief.total, len(relief.change.removes), relief.change.name


def without(case: Case, change: Change) -> Case:
    """The case after a change."""
    left = [strand for strand in case.strands if strand.leg not in change.removes]
    return case._replace(
        strands=left,
        walked=case.walked and len(left) == len(case.strands),  # a story with a gap was not walked
        exposure=None if change.hides else case.exposure,
    )


class Candidate(NamedTuple):
    """A row of CANDIDATES."""

    alert: int
    term: str
    weight: int
    severity: int
    confidence: int
    age: int
    half_life: int
    strand: int | None
    place: int
    rival: str


def candidates(alert: int, case: Case, weights: Weights) -> Iterator[Candidate]:
    """The rows of one case that compete to be its terms: of rivals only the strongest counts."""
    yield Candidate(alert, "base", weights.base.weight, 1000, 1000, 0, 0, None, 0, "")
    amplifiers = tuple(_amplifiers(case, weights))
    for n, strand in enumerate(case.strands):
        class_ = weights.classes[cast("LegClass", strand.class_)]
        strength = (
            weights.severities[cast("Level", strand.severity)],
            strand.confidence,
            (case.at - strand.at) // SECOND,
            class_.half_life // SECOND,
            n,
        )
        family = strand.family
        evidence, term = class_.weight, f"{strand.leg}/{family}"
        yield Candidate(alert, term, evidence, *strength, EVIDENCE, family)
        more, term = weights.corroboration.weight, f"corroboration/{family}"
        yield Candidate(alert, term, more, *strength, CORROBORATION, family)
        for term, weight in amplifiers:
            yield Candidate(alert, term, weight, *strength, AMPLIFIER, term)


def _amplifiers(case: Case, weights: Weights) -> Iterator[tuple[str, int]]:
    """What makes the same evidence matter more: terms and weights."""
    if case.walked:
        yield "walked", weights.walked.weight
    if case.likely:
        yield "likely", weights.likely.weight
    for name, labels, table in (
        ("exposure", (case.exposure,), weights.exposure),
        ("data", case.data, weights.data),
        ("criticality", (case.criticality,), weights.criticality),
    ):
        known = [(table[label].weight, label) for label in labels if label in table]
        if known:
            weight, label = max(known)
            yield f"{name}/{label}", weight
