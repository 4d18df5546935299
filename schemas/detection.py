"""Detection: what the rest of the engine knows of a Sigma rule, without its predicate."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.entity import Kind
from schemas.event import Level, Record
from schemas.habit import Habit


class Logsource(Record):
    """Sigma's category, product and service. Absent means "any".

    `also`: further services for which Sigma has names and records of a source may be.
    """

    category: str | None = None
    product: str | None = None
    service: str | None = None
    also: tuple[str, ...] = Field(default=(), exclude=True)

    def implied_by(self, source: Logsource) -> bool:
        """True if the source is every part that this rule names.

        Subset routing: what the source does not say is not "no conflict", it is no match.
        """
        return all(
            mine is None or mine in theirs
            for mine, theirs in (
                (self.category, (source.category,)),
                (self.product, (source.product,)),
                (self.service, (source.service, *source.also)),
            )
        )


class PostureFact(Record):
    """A match opens (or closes) the fact `name` of the event's first entity of kind `on`.

    `state` finding: follows the state of the event's scanner finding, one instance per finding uid.
    """

    name: str
    on: Kind
    state: Literal["open", "closed", "finding"] = "open"


class Detection(Record):
    """A Sigma rule's identity and metadata.

    `id` is the rule's id, else its name, else its file name. `family` names the independent line of
    evidence: two matches of one family count once in a convergence.
    `fields` are what correlations, convergences and habits need of a matched record. With a `habit`
    a match is no signal by itself, but one more observation of what its group does.
    """

    id: str
    name: str | None = None
    title: str
    level: Level = "medium"
    confidence: float = Field(default=0.6, ge=0, le=1)
    family: str
    tags: tuple[str, ...] = ()
    logsource: Logsource
    fields: tuple[str, ...] = ()
    fact: PostureFact | None = None
    habit: Habit | None = None
    author: str | None = None
    path: str = ""
