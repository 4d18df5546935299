"""Habit: what of a group is usual is learnt from it; a match that departs from it is a signal."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from schemas.event import Record
from schemas.times import DAY, HOUR, Duration

LONGEST: Final = 60 * DAY  # that a habit remembers: what a group holds is bounded by it
MODIFIERS: Final = ("network", "product")  # `client.ip|network`: see correlators/habits/values.py


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _field(value: object) -> object:
    if isinstance(value, str):
        field, _, modifier = value.partition("|")
        if not field or ("|" in value and modifier not in MODIFIERS):
            known = ", ".join(f"`|{one}`" for one in MODIFIERS)
            raise ValueError(f"a field by its name, and behind it at most one of {known}")
    return value


Field_ = Annotated[str, BeforeValidator(_field), Field(max_length=256)]
Fields = Annotated[tuple[Field_, ...], BeforeValidator(_listed), Field(min_length=1, max_length=5)]


def bare(field: str) -> str:
    """The name of a field without its modifier."""
    return field.partition("|")[0]


class _Group(Record):
    """What all kinds share: `by` what it is the habit of, how long it is learnt and remembered."""

    by: Fields
    learning: Duration = Field(default=7 * DAY, ge=HOUR)
    memory: Duration = Field(default=28 * DAY, ge=DAY, le=LONGEST)

    @model_validator(mode="after")
    def _in_time(self) -> Self:
        if self.learning >= self.memory:
            raise ValueError("`memory` has to be longer than `learning`")
        return self

    @property
    def fields(self) -> tuple[str, ...]:
        """What it needs of a match, without modifiers."""
        held = (self.by, getattr(self, "of", ()), getattr(self, "sum", ()))
        return tuple(dict.fromkeys(bare(one) for names in held for one in names))


class FirstSeen(_Group):
    """A value of `of` that was not seen in the group for `memory`; several fields are one value.

    `most` values are remembered. A group with more of them has no habit: it is silent until they
    are forgotten.
    """

    type: Literal["first_seen"]
    of: Fields
    memory: Duration = Field(default=30 * DAY, ge=DAY, le=LONGEST)
    most: int = Field(default=200, ge=1, le=2_000)


class Volume(_Group):
    """More matches in an hour, or a greater `sum` of fields, than the group has had before.

    More is: more than `least`, than `times` the usual, and than the usual and `deviations` times
    the median absolute deviation.
    """

    type: Literal["volume"]
    sum: Annotated[tuple[Field_, ...], BeforeValidator(_listed), Field(max_length=5)] = ()
    least: int = Field(ge=0, le=10**12)
    times: int = Field(default=3, ge=1, le=1_000)
    deviations: int = Field(default=10, ge=0, le=1_000)


class Silence(_Group):
    """Nothing for so many `hours` of the week in which the group has always spoken."""

    type: Literal["silence"]
    learning: Duration = Field(default=14 * DAY, ge=14 * DAY)
    hours: int = Field(default=3, ge=1, le=168)


class Missing(_Group):
    """An hour of matches without a marked one, of a group that has hardly had such an hour before.

    A match is marked if one of the fields `of` is there, with one of `values` if some are named. An
    hour counts with `least` matches that are not, or with a marked one; `hours` such hours are
    known at least, and nine of ten were marked.
    """

    type: Literal["missing"]
    of: Fields
    values: Annotated[tuple[str, ...], BeforeValidator(_listed), Field(max_length=50)] = ()
    least: int = Field(default=10, ge=1, le=10**9)
    hours: int = Field(default=24, ge=1, le=1_000)


Habit = Annotated[FirstSeen | Volume | Silence | Missing, Field(discriminator="type")]
