"""Load: one YAML document with a Sigma rule or filter as a Rule or Filter."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from correlators.document import Faulty, Part
from correlators.sigma.condition import Compiled, compiled
from correlators.sigma.head import Head, Lower, invalid
from correlators.sigma.reads import together
from correlators.sigma.rule import Rule
from schemas.detection import Detection, Logsource

_NOT: Final = re.compile(r"\bnot\b", re.IGNORECASE)

Model = TypeVar("Model", bound=BaseModel)


class LogsourceSection(BaseModel):
    """`logsource:`; other keys of it are for humans."""

    model_config = ConfigDict(frozen=True)

    category: Annotated[str | None, Lower] = None
    product: Annotated[str | None, Lower] = None
    service: Annotated[str | None, Lower] = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if not (self.category or self.product or self.service):
            raise ValueError("at least one of category, product and service is needed")
        return self

    @property
    def logsource(self) -> Logsource:
        """As the rest of the engine knows it."""
        return Logsource(category=self.category, product=self.product, service=self.service)


class RuleDocument(Head):
    """A detection rule as it stands in its file."""

    logsource: LogsourceSection
    detection: dict[str, Any]


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class FilterSection(BaseModel):
    """`filter:` of a filter document; its selections stand beside these keys."""

    rules: Annotated[tuple[str, ...], BeforeValidator(_listed)] = Field(min_length=1)
    condition: str


class FilterDocument(Head):
    """A filter as it stands in its file."""

    logsource: LogsourceSection
    filter: FilterSection


@dataclass(frozen=True, slots=True)
class Filter:
    """A further condition for rules of its logsource: those named by id or name, or all (None)."""

    rules: frozenset[str] | None
    logsource: Logsource
    condition: Compiled

    def applies(self, rule: Rule) -> bool:
        """True if the rule must fulfil this filter too."""
        detection = rule.detection
        named = self.rules is None or not self.rules.isdisjoint({detection.id, detection.name})
        return named and self.logsource.implied_by(detection.logsource)

    def on(self, rule: Rule) -> Rule:
        """The rule that must fulfil this filter too."""
        matches, further = rule.matches, self.condition.holds

        def both(record: Mapping[str, Any]) -> bool:
            return matches(record) and further(record)

        return replace(
            rule,
            matches=both,
            clauses=rule.clauses + self.condition.clauses,
            reads=together(rule.reads, self.condition.reads),
        )


def rule(part: Part) -> Rule:
    """The rule that a document with a `detection` section holds; Faulty otherwise."""
    stated = validated(part, RuleDocument)
    condition = compiled(part, "detection")
    return Rule(_detection(part, stated), condition.holds, condition.clauses, condition.reads)


def filter_(part: Part) -> Filter:
    """The filter that a document with a `filter` section holds; Faulty otherwise.

    A rule with a filter matches where both conditions hold, as other engines have it. The example
    of the specification means the opposite: a filter without any `not` is refused, for it would
    leave just what its author wants to be rid of.
    """
    stated = validated(part, FilterDocument)
    if _NOT.search(stated.filter.condition) is None:
        raise Faulty(
            part.problem(
                "a filter keeps what its condition holds for: write `not` before what it removes",
                "filter",
                "condition",
            )
        )
    rules = None if stated.filter.rules == ("any",) else frozenset(stated.filter.rules)
    return Filter(rules, stated.logsource.logsource, compiled(part, "filter"))


def validated(part: Part, model: type[Model]) -> Model:
    """The document as `model`; Faulty with a Problem for each thing that does not fit."""
    try:
        return model.model_validate(part.data)
    except ValidationError as error:
        raise Faulty(*invalid(part, error)) from error


def _detection(part: Part, stated: RuleDocument) -> Detection:
    identity = stated.identity(part)
    return Detection(
        id=identity,
        name=stated.name,
        title=stated.title,
        level=stated.level,
        confidence=stated.confidence,
        family=stated.barograph.family or identity,
        tags=stated.tags or (),
        logsource=stated.logsource.logsource,
        fields=stated.fields or (),
        fact=stated.barograph.fact,
        author=stated.author,
        path=part.path,
    )
