"""Correlation rules as they stand in their files, read without pySigma.

pySigma takes exactly one operator where the specification allows a range, and it knows no lines.
"""

from operator import eq, ge, gt, le, lt, ne
from typing import Annotated, Final, Self, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from correlators.document import Part
from correlators.sigma.head import Head
from correlators.sigma.load import validated
from schemas.correlation import Correlation, CorrelationType, Operator
from schemas.times import duration

TYPES: Final[tuple[str, ...]] = get_args(CorrelationType)

_HOLDS: Final = {"gt": gt, "gte": ge, "lt": lt, "lte": le, "eq": eq, "neq": ne}


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _numbers(value: object) -> object:
    if isinstance(value, str):
        raise ValueError("a condition over rule names, like `a and not b`, is not supported yet")  # noqa: TRY004 - pydantic reports ValueError with its place
    return value


Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Count = Annotated[int, Field(strict=True, ge=0)]


class Condition(BaseModel):
    """`condition:`; every operator that is given must hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    field: Names = ()
    gt: Count | None = None
    gte: Count | None = None
    lt: Count | None = None
    lte: Count | None = None
    eq: Count | None = None
    neq: Count | None = None

    @property
    def operators(self) -> dict[Operator, int]:
        """The operators with their numbers, in the order of the specification."""
        stated = ((name, getattr(self, name)) for name in get_args(Operator))
        return {name: number for name, number in stated if number is not None}

    def possible(self, most: int | None) -> bool:
        """True if a number from 1 to `most` (None: any) fulfils it: zero events are no occasion."""
        operators = self.operators
        near = {number + step for number in operators.values() for step in (-1, 0, 1)} | {1}
        return any(
            all(_HOLDS[name](count, number) for name, number in operators.items())
            for count in near
            if count >= 1 and (most is None or count <= most)
        )


class Section(BaseModel):
    """`correlation:` of a document."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str
    rules: Names = Field(min_length=1)
    group_by: Names = Field(default=(), alias="group-by")
    timespan: str
    condition: Annotated[Condition, BeforeValidator(_numbers)] = Condition()
    aliases: dict[str, dict[str, str]] = {}
    generate: bool = False

    @field_validator("type")
    @classmethod
    def _supported(cls, name: str) -> str:
        if name not in TYPES:
            raise ValueError(f"`{name}` is not supported yet, only {', '.join(TYPES)}")
        return name

    @field_validator("rules")
    @classmethod
    def _once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) < len(names):
            raise ValueError("a rule is named twice")
        return names

    @field_validator("timespan")
    @classmethod
    def _some_time(cls, text: str) -> str:
        if duration(text) == 0:
            raise ValueError("it must be longer than nothing")
        return text

    @model_validator(mode="after")
    def _complete(self) -> Self:
        counts, operators = self.type in ("event_count", "value_count"), self.condition.operators
        if counts and not operators:
            raise ValueError(f"{self.type} needs a `condition` such as `gte: 10`")
        if (self.type == "value_count") != bool(self.condition.field):
            verb = "needs" if self.type == "value_count" else "has no"
            raise ValueError(f"{self.type} {verb} `field` in its condition")
        if self.type == "temporal_ordered" and operators:
            raise ValueError("temporal_ordered takes no condition: it asks for each rule, in order")
        if not self.condition.possible(None if counts else len(self.rules)):
            raise ValueError("no number fulfils the condition, so it can never fire")
        return self


class CorrelationDocument(Head):
    """A correlation rule as it stands in its file. `generate` is a key of either level."""

    correlation: Section
    generate: bool = False


def correlation(part: Part) -> Correlation:
    """The correlation of a document, its references still as written; Faulty otherwise."""
    stated = validated(part, CorrelationDocument)
    section, identity = stated.correlation, stated.identity(part)
    return Correlation.model_validate(
        {
            "id": identity,
            "name": stated.name,
            "title": stated.title,
            "level": stated.level,
            "type": section.type,
            "rules": section.rules,
            "group_by": section.group_by,
            "timespan": section.timespan,
            "condition": section.condition.operators,
            "fields": section.condition.field,
            "aliases": section.aliases,
            "generate": stated.generate or section.generate,
            "confidence": stated.confidence,
            "family": stated.barograph.family or identity,
            "tags": stated.tags or (),
            "path": part.path,
        }
    )
