"""Cells: what is known of the numbers of a window, by cell; the hits themselves are not kept.

Laws:
1. A cell is a 64th of the timespan, counted from 1970. The old edge of a window is rounded down to
   a cell, so that a cell is in a window or is not; all else is exact.
2. Hits without a number are not counted, and a window without a number never qualifies.
3. Percentile p of n numbers v0 <= v1 <= ... is v at place p/100 * (n - 1), between two places on
   the straight line between them. On which side of a bound it lies is told by how many numbers lie
   below and how many at it; only where it falls between the last below and the first above it, by
   these two.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from correlators.accumulator.hit import Hit
from correlators.accumulator.number import EXACT, NONE
from schemas.correlation import Correlation

add, subtract, multiply = EXACT.add, EXACT.subtract, EXACT.multiply


class Mark(msgspec.Struct, array_like=True):
    """The numbers of a cell around one bound: how many below, how many below or at it.

    `low` and `high` are the nearest on either side.
    """

    below: int = 0
    upto: int = 0
    low: Decimal | None = None
    high: Decimal | None = None

    def add(self, number: Decimal, bound: Decimal) -> tuple[int, int]:
        """Take a number in; returns by how much `below` and `upto` grew."""
        if number > bound:
            if self.high is None or number < self.high:
                self.high = number
            return 0, 0
        self.upto += 1
        if number == bound:
            return 0, 1
        self.below += 1
        if self.low is None or number > self.low:
            self.low = number
        return 1, 1


class Cell(msgspec.Struct, array_like=True):
    """A cell: its place in time, its first hit, how many numbers, their sum or their marks."""

    place: int
    first: Hit
    count: int = 0
    total: Decimal = NONE
    marks: list[Mark] = msgspec.field(default_factory=list)

    def copy(self) -> Cell:
        """A copy that can be changed."""
        marks = [Mark(mark.below, mark.upto, mark.low, mark.high) for mark in self.marks]
        return Cell(self.place, self.first, self.count, self.total, marks)


class Cells(msgspec.Struct, tag="numbers", array_like=True):
    """The cells of a window, oldest first, and what they come to.

    `below` and `upto` are the sums of these marks, in the order of the condition.
    """

    cells: list[Cell] = msgspec.field(default_factory=list)
    count: int = 0
    total: Decimal = NONE
    below: list[int] = msgspec.field(default_factory=list)
    upto: list[int] = msgspec.field(default_factory=list)

    def fold(self, rule: Correlation, time: int, hits: Sequence[Hit]) -> bool:
        """Take the hits of `time`; True if the condition holds for the sum, average, percentile."""
        cells, length = self.cells, rule.cell
        edge = (time - rule.timespan) // length
        while cells and cells[0].place < edge:
            self._take_out(cells.pop(0))
        for hit in hits:
            if hit.value is not None:
                place = time // length
                if not cells or cells[-1].place != place:
                    self._begin(rule, place, hit)
                self._put_in(rule, cells[-1], Decimal(hit.value))
        if not self.count:
            return False
        if self.below:
            return all(test(self._side(rule, i), 0) for i, (test, _) in enumerate(rule.tests))
        if rule.type == "value_sum":
            return rule.fulfilled(self.total)
        return all(test(self.total, multiply(bound, self.count)) for test, bound in rule.tests)

    def witnesses(self, _rule: Correlation, hits: Sequence[Hit]) -> tuple[list[Hit], int]:
        """The first hit of each cell, and how many numbers there are, without `hits`."""
        time = hits[0].time
        found = [cell.first for cell in self.cells if cell.first.time < time]
        return found, self.count - sum(hit.value is not None for hit in hits)

    def copy(self) -> Cells:
        """A copy that can be changed; of the cells only the newest ever is."""
        cells = [*self.cells[:-1], *(cell.copy() for cell in self.cells[-1:])]
        return Cells(cells, self.count, self.total, self.below.copy(), self.upto.copy())

    def idle(self) -> bool:
        """True if nothing is kept."""
        return not self.cells

    def _begin(self, rule: Correlation, place: int, first: Hit) -> None:
        bounds = () if rule.quantile is None else rule.tests
        if bounds and not self.below:
            self.below, self.upto = [0] * len(bounds), [0] * len(bounds)
        self.cells.append(Cell(place, first, marks=[Mark() for _ in bounds]))

    def _put_in(self, rule: Correlation, cell: Cell, number: Decimal) -> None:
        cell.count += 1
        self.count += 1
        if not cell.marks:
            cell.total = add(cell.total, number)
            self.total = add(self.total, number)
            return
        for i, (_, bound) in enumerate(rule.tests):
            below, upto = cell.marks[i].add(number, bound)
            self.below[i] += below
            self.upto[i] += upto

    def _take_out(self, cell: Cell) -> None:
        self.count -= cell.count
        self.total = subtract(self.total, cell.total)
        for i, mark in enumerate(cell.marks):
            self.below[i] -= mark.below
            self.upto[i] -= mark.upto

    def _side(self, rule: Correlation, i: int) -> int:
        """-1, 0 or 1: the percentile lies below bound `i`, on it or above it."""
        top, bottom = rule.quantile or (0, 1)
        place, rest = divmod(top * (self.count - 1), bottom)
        below, upto = self.below[i], self.upto[i]
        if place + (rest > 0) < below:
            return -1
        if place >= upto:
            return 1
        if place >= below:
            return int(rest > 0 and place + 1 >= upto)
        if place + 1 < upto:
            return -1
        low = max(mark.low for cell in self.cells if (mark := cell.marks[i]).low is not None)
        high = min(mark.high for cell in self.cells if (mark := cell.marks[i]).high is not None)
        value = add(multiply(low, bottom - rest), multiply(high, rest))
        return int(EXACT.compare(value, multiply(rule.tests[i][1], bottom)))
