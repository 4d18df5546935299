"""Correlation: a Sigma correlation rule as a typed value."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.event import Level, Record
from schemas.times import Duration

CorrelationType = Literal["event_count", "value_count", "temporal", "temporal_ordered"]
Operator = Literal["gt", "gte", "lt", "lte", "eq", "neq"]


class Correlation(Record):
    """A rule over the signals or findings of `rules`, in one group and one trailing `timespan`.

    `rules` are ids of detections or correlations (names are resolved at load). `condition` maps
    operators to whole numbers, all must hold. `fields` are the counted fields of value_count.
    `aliases`: alias -> {rule id: field}. `level_number` is its stratum: 1 + the highest stratum
    that it refers to (detections are 0).
    """

    id: str
    name: str | None = None
    title: str
    level: Level = "medium"
    type: CorrelationType
    rules: tuple[str, ...] = Field(min_length=1)
    group_by: tuple[str, ...] = ()
    timespan: Duration = Field(gt=0)
    condition: dict[Operator, int] = Field(default_factory=dict)
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
        return any(op in ("lt", "lte", "eq", "neq") for op in self.condition)
