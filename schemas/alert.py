"""Alert: what a human gets, one episode of one convergence on one AI system."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.entity import Entity
from schemas.event import Level, Record
from schemas.finding import Evidence, Meta
from schemas.times import Time

Stage = Literal["outlook", "watch", "warning"]
AlertStatus = Literal["open", "verified", "expired", "resolved", "superseded"]
STAGES: tuple[Stage, ...] = ("outlook", "watch", "warning")


class Moment(Record):
    """One line of an alert's timeline."""

    time: Time
    text: str
    evidence: tuple[Evidence, ...] = ()


class Step(Record):
    """One edge of the lineage path on which the alert lies.

    `walked` when runtime evidence used it.
    """

    from_: str = Field(alias="from")
    relation: str
    to: str
    state: Literal["open", "walked"]


class Term(Record):
    """One line of the score ledger: points = weight x value rounded down, thousandths of log-odds.

    The points of all lines add up to the alert's total.
    """

    term: str
    value: float
    weight: int
    points: int
    evidence: tuple[Evidence, ...] = ()


class NextStep(Record):
    """A technique that may follow, its probability within the horizon, and what would stop it."""

    technique: str
    name: str
    probability: float = Field(ge=0, le=1)
    horizon: str
    precondition: str
    blocking_action: str


class Action(Record):
    """What to do; `control` is an id of a framework, `effect` what it takes away from the score."""

    text: str
    control: str | None = None
    effect: str


class Alert(Record):
    """One episode of one convergence on one AI system.

    id = hash(system, convergence, smallest row id at the first time that it held);
    `thread` = hash(system, convergence) never changes. `superseded_by`: of one that is superseded,
    the id of the alert that covers it.
    """

    id: str
    thread: str
    convergence: str
    stage: Stage
    peak_stage: Stage
    status: AlertStatus
    superseded_by: str | None = None
    system: str
    title: str
    summary: str
    priority: int = Field(ge=0, le=100)
    confidence: float = Field(ge=0, le=1)
    severity: Level
    entities: tuple[Entity, ...] = ()
    findings: tuple[str, ...] = ()
    timeline: tuple[Moment, ...] = ()
    path: tuple[Step, ...] = ()
    why: tuple[Term, ...] = ()
    next: tuple[NextStep, ...] = ()
    actions: tuple[Action, ...] = ()
    tags: tuple[str, ...] = ()
    first_time: Time
    onset_time: Time
    last_time: Time
    expires_at: Time
    evidence: tuple[Evidence, ...] = ()
    body_sha256: str
    meta: Meta
