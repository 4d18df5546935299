"""Bounds: the numbers of a correlation's condition, and whether any number can be within them."""

import math
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Final, Generic, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from correlators.accumulator.number import LARGEST
from schemas.correlation import OPERATORS, Number, Operator


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _exact(value: object) -> object:
    """A decimal as it is written, not as the nearest float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("input should be a number")  # noqa: TRY004 - pydantic reports ValueError
    if not math.isfinite(value) or abs(value) >= LARGEST:
        raise ValueError(f"input should lie between -{_LARGEST} and {_LARGEST}")
    return value if isinstance(value, int) else Decimal(repr(value))


_LARGEST: Final = f"{float(LARGEST):.0e}".replace("+", "")

Listed = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Count = Annotated[int, Field(strict=True, ge=0)]
Measure = Annotated[Number, BeforeValidator(_exact)]
N = TypeVar("N")


class Bounds(BaseModel, Generic[N]):
    """`condition:` with numbers; every operator that is given must hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    field: Listed = ()
    percentile: Annotated[Measure, Field(ge=0, le=100)] | None = None
    gt: N | None = None
    gte: N | None = None
    lt: N | None = None
    lte: N | None = None
    eq: N | None = None
    neq: N | None = None

    @property
    def operators(self) -> dict[Operator, Number]:
        """The operators with their numbers, in the order of the specification."""
        stated = ((name, getattr(self, name)) for name in get_args(Operator))
        return {name: number for name, number in stated if number is not None}

    def countable(self, most: int | None) -> bool:
        """True if a count from 1 to `most` (None: any) is within: zero events are no occasion."""
        near = {int(number) + step for number in self.operators.values() for step in (-1, 0, 1)}
        return any(
            self._within(count)
            for count in near | {1}
            if count >= 1 and (most is None or count <= most)
        )

    def measurable(self) -> bool:
        """True if any number is within."""
        numbers = sorted(Decimal(number) for number in self.operators.values())
        between = [(low + high) / 2 for low, high in pairwise(numbers)]
        return any(map(self._within, (*numbers, numbers[0] - 1, numbers[-1] + 1, *between)))

    def _within(self, number: Number) -> bool:
        return all(OPERATORS[name](number, bound) for name, bound in self.operators.items())
