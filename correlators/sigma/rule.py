"""Rule: a Sigma rule ready to run, what is known of it and how it judges a record."""

from dataclasses import dataclass

from correlators.sigma.predicate import Predicate
from correlators.sigma.witness import Clause
from schemas.detection import Detection


@dataclass(frozen=True, slots=True)
class Rule:
    """`matches` judges a decoded record (or a normal form); `clauses` are its witnesses.

    `sure`: a record whose fields are texts and which fulfils all of the clauses matches. `reads`:
    the fields whose values decide; None if all of the record does.
    """

    detection: Detection
    matches: Predicate
    clauses: tuple[Clause, ...] = ()
    sure: bool = False
    reads: frozenset[str] | None = None
