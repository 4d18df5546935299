"""Departure: an observation that is not what its group does; and what every kind of habit is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol, Self

from schemas.rows import Row


class Departure(NamedTuple):
    """When, by which observation, and what was usual instead."""

    time: int
    by: Row
    usual: dict[str, Any]


class Known(Protocol):
    """What a kind of habit knows of one group: a plain value, folded in order of time.

    Before `apply` of a time comes `fire` of the same, with what was due before.
    """

    def apply(self, habit: Any, time: int, rows: Sequence[Row], /) -> Iterator[Departure]:  # noqa: ANN401 - of its own kind
        """Fold the observations of one time, in order of their ids."""
        ...

    def fire(self, habit: Any, until: int, /) -> Iterator[Departure]:  # noqa: ANN401 - of its own kind
        """What happens before `until` because nothing was observed."""
        ...

    def due(self, habit: Any, /) -> int | None:  # noqa: ANN401 - of its own kind
        """When something happens next if nothing is observed; behind it, not at it."""
        ...

    def copy(self) -> Self:
        """A copy that can be changed."""
        ...

    @property
    def idle(self) -> bool:
        """True if it says no more than an empty one."""
        ...
