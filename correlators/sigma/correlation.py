"""Correlation rules as they stand in their files, read without pySigma.

pySigma takes exactly one operator where the specification allows a range, and it knows no lines.
"""

from typing import Annotated, Any, Final, Generic, Self, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from correlators.document import Part
from correlators.sigma.bounds import Bounds, Count, Listed, Measure, N
from correlators.sigma.clauses import Expression, expression
from correlators.sigma.head import Head
from correlators.sigma.load import validated
from correlators.sigma.values import is_object
from correlators.sigma.wording import meant
from schemas.correlation import STATISTICS, Correlation, CorrelationType
from schemas.times import duration

EXTENDED: Final = "_extended"  # pySigma's names for temporal types with a condition over names
TYPES: Final[tuple[str, ...]] = (
    *get_args(CorrelationType),
    "temporal_extended",
    "temporal_ordered_extended",
)
MAX_RULES: Final = 32  # of a condition over rules: a window keeps chains of each


def _numbers(value: object) -> object:
    return {} if isinstance(value, str) else value


def _names(value: object) -> object:
    return expression(value) if isinstance(value, str) else None


class Section(BaseModel, Generic[N]):  # type: ignore[no-redef] # two fields read `condition`
    """`correlation:` of a document; its condition holds numbers or, as text, names of rules."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str
    rules: Listed = Field(default=(), min_length=1)
    group_by: Listed = Field(default=(), alias="group-by")
    timespan: str
    condition: Annotated[Bounds[N], BeforeValidator(_numbers)] = Bounds()
    over: Annotated[Expression | None, BeforeValidator(_names)] = Field(
        default=None, alias="condition"
    )
    aliases: dict[str, dict[str, str]] = {}
    generate: bool = False

    @property
    def kind(self) -> str:
        """The type, without what its condition says already."""
        return self.type.removesuffix(EXTENDED)

    @property
    def referred(self) -> tuple[str, ...]:
        """The rules that are listed, else those of the condition in their order there."""
        return self.rules or (self.over.names if self.over else ())

    @property
    def clauses(self) -> list[dict[str, Any]]:
        """The ways to fulfil a condition over names, each in the order of the rules."""
        return [
            {
                "present": [name for name in self.referred if name in way.present],
                "absent": [name for name in self.referred if name in way.absent],
            }
            for way in (self.over.ways if self.over else ())
        ]

    @field_validator("type")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in TYPES:
            raise ValueError(f"`{name}` is none of {', '.join(TYPES)}")
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
        if self.over is not None:
            self._over_names(self.over)
        elif not self.rules:
            raise ValueError("`rules` is missing: of which rules are the hits?")
        elif self.type != self.kind:
            raise ValueError(f"{self.type} needs a `condition` over names, like `a and not b`")
        self._over_numbers()
        return self

    def _over_names(self, over: Expression) -> None:
        if not self.kind.startswith("temporal"):
            raise ValueError(f"{self.type} needs a `condition` such as `gte: 10`")
        for name in over.names:
            if name not in self.referred:
                message = f"`{name}` of the condition is not among `rules`"
                raise ValueError(message + meant(name, self.referred))
        for name in self.rules:
            if name not in over.names:
                raise ValueError(f"`{name}` is among `rules` but not in the condition")
        if len(over.names) > MAX_RULES:
            raise ValueError(f"a condition over names has at most {MAX_RULES}")
        if not any(way.present or len(way.absent) < len(over.names) for way in over.ways):
            raise ValueError("no hits fulfil the condition, so it can never fire")

    def _over_numbers(self) -> None:
        condition, statistic = self.condition, self.type in STATISTICS
        temporal = self.kind.startswith("temporal")
        if not temporal and not condition.operators:
            raise ValueError(f"{self.type} needs a `condition` such as `gte: 10`")
        if (self.type == "value_count" or statistic) != bool(condition.field):
            verb = "has no" if condition.field else "needs"
            raise ValueError(f"{self.type} {verb} `field` in its condition")
        if statistic and len(condition.field) > 1:
            raise ValueError(f"{self.type} takes the numbers of one field")
        if (self.type == "value_percentile") != (condition.percentile is not None):
            verb = "has no" if condition.percentile is not None else "needs"
            raise ValueError(f"{self.type} {verb} `percentile`, from 0 to 100, in its condition")
        if temporal and condition.operators and len(self.rules) > MAX_RULES:
            raise ValueError(f"a condition counts at most {MAX_RULES} rules")
        if condition.operators and not (
            condition.measurable()
            if statistic
            else condition.countable(len(self.rules) if temporal else None)
        ):
            raise ValueError("no number fulfils the condition, so it can never fire")


class CorrelationDocument(Head, Generic[N]):
    """A correlation rule as it stands in its file. `generate` is a key of either level."""

    correlation: Section[N]
    generate: bool = False


def correlation(part: Part) -> Correlation:
    """The correlation of a document, its references still as written; Faulty otherwise."""
    held = part.data["correlation"]
    measures = is_object(held) and str(held.get("type")) in STATISTICS
    stated: CorrelationDocument[Any] = (
        validated(part, CorrelationDocument[Measure])
        if measures
        else validated(part, CorrelationDocument[Count])
    )
    section, identity = stated.correlation, stated.identity(part)
    return Correlation.model_validate(
        {
            "id": identity,
            "name": stated.name,
            "title": stated.title,
            "level": stated.level,
            "type": section.kind,
            "rules": section.referred,
            "group_by": section.group_by,
            "timespan": section.timespan,
            "condition": section.condition.operators,
            "clauses": section.clauses,
            "percentile": 50 if (rank := section.condition.percentile) is None else rank,
            "fields": section.condition.field,
            "aliases": section.aliases,
            "generate": stated.generate or section.generate,
            "confidence": stated.confidence,
            "family": stated.barograph.family or identity,
            "tags": stated.tags or (),
            "path": part.path,
        }
    )
