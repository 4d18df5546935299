"""Load: one YAML document with a Sigma rule or filter as a Rule or Filter."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from correlators.document import Faulty, Part
from correlators.sigma.condition import Compiled, compiled, negations, where_nothing_holds
from correlators.sigma.condition import stated as as_stated
from correlators.sigma.head import Head, Lower, invalid
from correlators.sigma.processing import NONE, Processing, Subject
from correlators.sigma.reads import together
from correlators.sigma.rule import Rule
from schemas.detection import Detection, Logsource
from schemas.habit import Habit, bare

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
    """What takes matches away from rules of its logsource: those named by id or name, or all.

    `rules` None means all. `removes`: its condition says what is taken away, else what is left.
    `condition` is None where a pipeline makes another one of it for each rule.
    """

    part: Part
    rules: frozenset[str] | None
    logsource: Logsource
    removes: bool
    condition: Compiled | None

    def applies(self, rule: Rule, stated: Logsource) -> bool:
        """True if it is for this rule, whose document states this logsource."""
        detection = rule.detection
        named = self.rules is None or not self.rules.isdisjoint({detection.id, detection.name})
        return named and self.logsource.implied_by(stated)

    def on(self, rule: Rule, subject: Subject) -> Rule:
        """The rule with less matches; what is done to the rule (`subject`) is done to the filter.

        Faulty where that fails.
        """
        condition = self.condition or compiled(self.part, "filter", subject)
        matches, further, removes = rule.matches, condition.holds, self.removes

        def both(record: Mapping[str, Any]) -> bool:
            return matches(record) and further(record) is not removes

        return replace(
            rule,
            matches=both,
            clauses=rule.clauses + (() if removes else condition.clauses),
            sure=False,
            reads=together(rule.reads, condition.reads),
        )


def rule(part: Part, processing: Processing = NONE) -> Rule:
    """The rule that a document with a `detection` section holds; Faulty otherwise."""
    stated = validated(part, RuleDocument)
    subject = Subject(processing, part)
    condition = compiled(part, "detection", subject)
    try:
        logsource = LogsourceSection.model_validate(subject.logsource)
    except ValidationError as error:
        message = "the pipeline leaves the rule without a logsource"
        raise Faulty(part.problem(message, "logsource")) from error
    habit = stated.barograph.habit
    if habit is not None and processing.pipeline is not None:
        habit = _renamed(part, subject, habit)
    detection = _detection(part, stated, logsource.logsource, subject.fields, habit)
    return Rule(
        detection, condition.holds, condition.clauses, sure=condition.sure, reads=condition.reads
    )


def logsource(part: Part) -> Logsource:
    """The logsource that a rule's document states, whatever a pipeline makes of it."""
    return LogsourceSection.model_validate(part.data["logsource"]).logsource


def filter_(part: Part, processing: Processing = NONE) -> Filter:
    """The filter that a document with a `filter` section holds; Faulty otherwise.

    A filter suppresses matches, says the specification, and its example has `condition: selection`
    for what is to be suppressed; pySigma, rsigma and SigmaHQ write `not selection` for what is to
    be left. Which of the two a condition is shows in a record that no selection speaks of: a filter
    must leave its matches alone. So the condition says what is left if it holds for such a record,
    and what is removed if it does not. With `neq` both can be meant, and it is refused there.
    """
    stated = validated(part, FilterDocument)
    alike = processing.pipeline is None
    condition = compiled(part, "filter", Subject(processing, part)) if alike else None
    removes = not where_nothing_holds(part, "filter")
    negated = next(negations(part, "filter"), None)
    if removes and negated is not None:
        message = (
            "this filter removes what its condition selects, all but one value: write the"
            " selection without `neq`, and `not` before it in the condition if you mean to keep it"
        )
        raise Faulty(part.problem(message, *negated))
    names = stated.filter.rules
    rules = {spelling for name in names for spelling in (name, name.lower())}
    named = None if [name.lower() for name in names] == ["any"] else frozenset(rules)
    return Filter(part, named, stated.logsource.logsource, removes, condition)


def validated(part: Part, model: type[Model]) -> Model:
    """The document as `model`; Faulty with a Problem for each thing that does not fit."""
    try:
        return model.model_validate(part.data)
    except ValidationError as error:
        raise Faulty(*invalid(part, error)) from error


def _renamed(part: Part, subject: Subject, habit: Habit) -> Habit:
    """The habit with what the pipeline makes of its fields; Faulty where that is no one name."""
    names: dict[str, str] = {}
    for field in habit.fields:
        renamed = subject.renamed(field, partial(as_stated, part, "detection"))
        if renamed is None:
            message = f"the pipeline has no single name for `{field}`"
            raise Faulty(part.problem(message, "barograph", "habit"))
        names[field] = renamed
    update = {
        key: tuple(one.replace(bare(one), names[bare(one)], 1) for one in getattr(habit, key))
        for key in ("by", "of", "sum")
        if hasattr(habit, key)
    }
    return habit.model_copy(update=update)


def _detection(
    part: Part,
    stated: RuleDocument,
    logsource: Logsource,
    fields: tuple[str, ...],
    habit: Habit | None,
) -> Detection:
    identity = stated.identity(part)
    if habit is not None:
        fields = tuple(dict.fromkeys((*fields, *habit.fields)))
    return Detection(
        id=identity,
        name=stated.name,
        title=stated.title,
        level=stated.level,
        confidence=stated.confidence,
        family=stated.barograph.family or identity,
        tags=stated.tags or (),
        logsource=logsource,
        fields=fields,
        fact=stated.barograph.fact,
        habit=habit,
        author=stated.author,
        path=part.path,
    )
