"""Plain: the ledgers of few alerts in plain Python, line for line those of `correlators.ledger`.

A frame costs 12 ms however few its rows are, and a stage that takes what just came has few.
`tests/correlators/test_plain.py` holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from correlators.ledger import (
    CORROBORATION,
    Case,
    Change,
    Relief,
    Weights,
    builtin,
    by_relief,
    candidates,
    without,
)
from correlators.score import MAX_HALF_LIFE, MAX_HALVINGS, MAX_WEIGHT, priority


class Line(NamedTuple):
    """One term of a ledger; `strand` is the place of what it leans on in its case."""

    term: str
    weight: int
    points: int
    strand: int | None


def points(weight: int, severity: int, confidence: int, age: int, half_life: int) -> int:
    """As `correlators.score.points` has it, of one row."""
    life = min(max(half_life, 1), MAX_HALF_LIFE)
    age = max(age, 0) if half_life > 0 else 0
    bounded = min(max(weight, -MAX_WEIGHT), MAX_WEIGHT)
    full = abs(bounded) * min(max(severity, 0), 1000) * min(max(confidence, 0), 1000)
    faded = full * (2 * life - age % life) // (2 * life) >> min(age // life, MAX_HALVINGS)
    return faded // 1_000_000 if bounded >= 0 else -(faded // 1_000_000)


def lines(case: Case, weights: Weights | None = None) -> list[Line]:
    """The terms that count, as `correlators.ledger.ledger` orders them."""
    strongest: dict[tuple[int, str], Line] = {}
    for row in candidates(0, case, weights or builtin()):
        line = Line(row.term, row.weight, points(*row[2:7]), row.strand)
        known = strongest.get((row.place, row.rival))
        if known is None or line.points > known.points:  # of equal ones the first strand
            strongest[row.place, row.rival] = line
    found: list[Line] = []
    for place in sorted({place for place, _ in strongest}):
        some = [line for (at, _), line in strongest.items() if at == place]
        some.sort(key=lambda line: (-line.points, line.term))
        # The strongest family is the one that the others corroborate.
        found += some[1:] if place == CORROBORATION else some
    return found


def total(some: Sequence[Line]) -> int:
    """What a ledger adds up to."""
    return sum(line.points for line in some)


def counterfactual(
    case: Case, changes: Sequence[Change], weights: Weights | None = None
) -> tuple[Relief, ...]:
    """What the changes of one case would leave, the greatest relief first."""
    left = [(change, total(lines(without(case, change), weights))) for change in changes]
    return tuple(sorted((Relief(c, sum_, priority(sum_)) for c, sum_ in left), key=by_relief))
