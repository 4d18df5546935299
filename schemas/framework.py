"""Framework: the controls of a published list, and the criteria of ours by which each is judged."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from schemas.alert import Stage
from schemas.entity import KINDS
from schemas.event import Level, Record
from schemas.times import DAY, Duration

ControlStatus = Literal["pass", "fail", "not_assessed"]
CriterionStatus = Literal["pass", "fail", "not_assessed", "not_applicable"]
STATUSES: tuple[ControlStatus, ...] = ("fail", "not_assessed", "pass")
Condition = Literal[
    "ownerless", "overdue_alerts", "overdue_weaknesses", "shadow", "unguarded", "untraced"
]
COMPOSITION = 90 * DAY  # for so long a bill of materials or configuration says what there is


def _pattern(value: object) -> object:
    kind = str(value).partition(":")[0]
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no kind of thing; write `image` or `model:sha256:*`")
    return value


Pattern = Annotated[str, BeforeValidator(_pattern)]
"""Things by their kind, or by `kind:id` with `*` and `?`."""


class Against(Record):
    """Evidence that a criterion is not met; exactly one of the first four says which.

    `rules`: detections or correlations that matched `within` so long ago. `alerts`: open alerts of
    these convergences (`*`: of all), of this `stage` and above. `facts`: what is open of these
    names, of this `severity` and above, `of` a vulnerability or a check where that is said.
    `condition`: what the inventory shows.
    """

    rules: tuple[str, ...] = ()
    within: Duration = 7 * DAY
    alerts: tuple[str, ...] = ()
    stage: Stage = "watch"
    facts: tuple[str, ...] = ()
    severity: Level = "informational"
    on: tuple[Pattern, ...] = ()
    of: Literal["vulnerability", "check"] | None = None
    condition: Condition | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        said = (self.rules, self.alerts, self.facts, self.condition)
        if sum(map(bool, said)) != 1:
            raise ValueError("says exactly one of `rules`, `alerts`, `facts`, `condition`")
        return self


class Need(Record):
    """What must have been heard `within` so long before a criterion can be said to be met.

    Exactly one of: `observed`, one of these things was at work; `declared`, a bill of materials or
    a configuration named one of them; `scanned`, a scanner looked at each of them (`by` one of
    these sources); `linked`, an edge of this relation was seen at work; `content`, prompts and
    answers were in the telemetry; `heard`, one of these sources has spoken; `signalled`, one of
    these rules has matched on each thing that the criterion is about.
    """

    observed: tuple[Pattern, ...] = ()
    declared: tuple[Pattern, ...] = ()
    scanned: tuple[Pattern, ...] = ()
    by: tuple[str, ...] = ()
    linked: str | None = None
    content: bool = False
    heard: tuple[str, ...] = ()
    signalled: tuple[str, ...] = ()
    within: Duration = Field(gt=0)

    @model_validator(mode="after")
    def _one(self) -> Self:
        said = (
            *(self.observed, self.declared, self.scanned, self.linked),
            *(self.content, self.heard, self.signalled),
        )
        if sum(map(bool, said)) != 1:
            raise ValueError(
                "says exactly one of `observed`, `declared`, `scanned`, `linked`, `content`,"
                " `heard`, `signalled`"
            )
        return self


class Criterion(Record):
    """Something that has to hold, and by which evidence it is known that it does or does not.

    `subject`: without such a thing in a scope it says nothing there. `estate`: it is asked of the
    estate as a whole and of no AI system. Nothing is met by silence: there is one need at least.
    """

    id: str
    title: str
    rationale: str
    subject: tuple[Pattern, ...] = ()
    estate: bool = False
    against: tuple[Against, ...] = Field(min_length=1)
    needs: tuple[Need, ...] = Field(min_length=1)
    path: str = ""


class Control(Record):
    """One entry of a framework. `criteria`: all must be met; `unseen`: why none speaks of it.

    `tag`: how rules and stories name it; an open watch or warning with that tag stands against it.
    `applies_from`: the day from which it is an obligation.
    """

    ref: str
    title: str
    rationale: str
    url: str | None = None
    tag: str | None = None
    criteria: tuple[str, ...] = ()
    unseen: str | None = None
    applies_from: date | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if bool(self.criteria) == bool(self.unseen):
            raise ValueError("has either `criteria` or `unseen`, which says why it has none")
        return self


class Framework(Record):
    """A published list of controls in one version. `notice`: what its licence lets us repeat.

    `aliases`: other names under which it can be asked for. `partial`: which of its entries are
    here, where not all are.
    """

    id: str
    title: str
    version: str
    publisher: str
    url: str
    notice: str
    partial: str | None = None
    aliases: tuple[str, ...] = ()
    controls: tuple[Control, ...] = Field(min_length=1)
    path: str = ""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        refs = [control.ref for control in self.controls]
        if twice := sorted({ref for ref in refs if refs.count(ref) > 1}):
            raise ValueError(f"has {twice[0]} twice")
        return self
