"""Correlation: a Sigma correlation rule as a typed value."""

from __future__ import annotations

from decimal import Decimal
from functools import cached_property
from operator import eq, ge, gt, le, lt, ne
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple

from pydantic import Field

from schemas.event import Level, Record
from schemas.times import DAY, Duration

if TYPE_CHECKING:
    from collections.abc import Callable

CorrelationType = Literal[
    "event_count",
    "value_count",
    "temporal",
    "temporal_ordered",
    "value_sum",
    "value_avg",
    "value_percentile",
    "value_median",
]
Operator = Literal["gt", "gte", "lt", "lte", "eq", "neq"]
Number = int | Decimal

CELLS: Final = 64  # of a timespan: what is known of numbers and of absence is known by cell
STATISTICS: Final = frozenset({"value_sum", "value_avg", "value_percentile", "value_median"})
OPERATORS: Final[dict[Operator, Callable[[Any, Any], bool]]] = {
    "gt": gt,
    "gte": ge,
    "lt": lt,
    "lte": le,
    "eq": eq,
    "neq": ne,
}


class Sequence(NamedTuple):
    """A clause as windows ask for it, in the order of the rules.

    `before` must have no hit in the trailing timespan, `after` none at the time itself and in the
    timespan that follows.
    """

    present: tuple[str, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]


class Clause(Record):
    """One way to fulfil a condition over rules: these have a hit, and those have none.

    Both are ids in the order of the rule's `rules`.
    """

    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


class Correlation(Record):
    """A rule over the signals or findings of `rules`, in one group and one trailing `timespan`.

    `rules` are ids of detections or correlations (names are resolved at load). `condition` maps
    operators to numbers, all must hold: whole ones where hits, values or rules are counted.
    `clauses`: a condition over rules, any of them must hold. `fields` are the counted fields of
    value_count, or the one with the numbers. `aliases`: alias -> {rule id: field}. `level_number`
    is its stratum: 1 + the highest stratum that it refers to (detections are 0).
    """

    id: str
    name: str | None = None
    title: str
    level: Level = "medium"
    type: CorrelationType
    rules: tuple[str, ...] = Field(min_length=1)
    group_by: tuple[str, ...] = ()
    timespan: Duration = Field(gt=0)
    condition: dict[Operator, Number] = Field(default_factory=dict)
    clauses: tuple[Clause, ...] = ()
    percentile: Annotated[Number, Field(ge=0, le=100)] = 50
    fields: tuple[str, ...] = ()
    aliases: dict[str, dict[str, str]] = Field(default_factory=dict)
    generate: bool = False
    confidence: float = Field(default=0.7, ge=0, le=1)
    family: str
    tags: tuple[str, ...] = ()
    level_number: int = 1
    path: str = ""

    @property
    def undoable(self) -> bool:
        """True if more hits can end the condition: it says nothing before it is settled."""
        return (
            self.type in STATISTICS
            or any(op in ("lt", "lte", "eq", "neq") for op in self.condition)
            or any(clause.absent for clause in self.clauses)
        )

    # What follows is asked at every hit, and made once from a rule that has its ids.

    @cached_property
    def tests(self) -> tuple[tuple[Callable[[Any, Any], bool], Any], ...]:
        """The condition as comparisons with a number, a Decimal where numbers are compared."""
        exact = Decimal if self.type in STATISTICS else int
        return tuple((OPERATORS[op], exact(number)) for op, number in self.condition.items())

    def fulfilled(self, number: Number) -> bool:
        """True if every operator of the condition holds for a number."""
        for test, bound in self.tests:  # noqa: SIM110 - a generator takes three times as long
            if not test(number, bound):
                return False
        return True

    @cached_property
    def most(self) -> int:
        """How far it must be counted to decide the condition: one more than its highest number."""
        return max((int(number) for number in self.condition.values()), default=0) + 1

    @cached_property
    def quantile(self) -> tuple[int, int] | None:
        """The percentile as a fraction of 1; None where none is asked for."""
        if self.type not in {"value_percentile", "value_median"}:
            return None
        top, bottom = self.percentile.as_integer_ratio()
        return top, 100 * bottom

    @cached_property
    def cell(self) -> int:
        """The length of a cell in microseconds."""
        return max(1, self.timespan // CELLS)

    @cached_property
    def longest(self) -> int:
        """How long after its onset an episode that never pauses is cut."""
        return max(DAY, 10 * self.timespan)

    @cached_property
    def sequences(self) -> tuple[Sequence, ...]:
        """The clauses of a condition over rules, as windows ask for them.

        Of `temporal` an absent rule has no hit near at all. Of `temporal_ordered` it has a place:
        one behind all present rules does not follow, any other is not in the window.
        """
        return tuple(self._sequence(clause) for clause in self.clauses)

    @cached_property
    def ending(self) -> frozenset[str]:
        """The rules of which a hit can undo what qualified before it."""
        return frozenset(name for sequence in self.sequences for name in sequence.after)

    @cached_property
    def certain(self) -> int:
        """A bit for each clause that nothing can undo once it holds."""
        return sum(1 << place for place, seq in enumerate(self.sequences) if not seq.after)

    @cached_property
    def waits(self) -> bool:
        """True if it is not known before a timespan has passed whether a time qualifies."""
        return any(sequence.after for sequence in self.sequences)

    def _sequence(self, clause: Clause) -> Sequence:
        present, absent = clause.present, clause.absent
        if self.type == "temporal" or not present:
            return Sequence(present, absent, absent)
        place = self.rules.index
        end = place(present[-1])
        before = tuple(name for name in absent if place(name) < end)
        return Sequence(present, before, tuple(name for name in absent if place(name) > end))
