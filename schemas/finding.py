"""Signal and Finding: a detection matched an event; a correlation held for an episode."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from schemas.entity import Entity
from schemas.event import Level, Record
from schemas.times import Time

State = Literal["provisional", "settled", "final", "withdrawn"]


class Evidence(Record):
    """The event that a claim rests on, and the sha256 of its raw record."""

    event: str
    sha256: str


class Meta(Record):
    """What may differ between two runs over the same events: never part of a body."""

    state: State
    revision: int = 1
    supersedes: str | None = None
    superseded_by: str | None = None
    origins: tuple[str, ...] = ()
    emitted: Time | None = None


class Signal(Record):
    """A detection matched one event. id = hash(detection, event uid).

    `fields` hold what correlations need of the record; `family` names the independent line of
    evidence. `habit`: what was usual, where the signal is a departure from it.
    """

    id: str
    time: Time
    detection: str
    title: str
    level: Level
    confidence: float = Field(ge=0, le=1)
    family: str
    event: str
    entities: tuple[Entity, ...] = ()
    fields: dict[str, Any] = Field(default_factory=dict)
    habit: dict[str, Any] | None = None
    tags: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()


class Finding(Record):
    """One episode in which a correlation held for one group.

    id = hash(rule, group, smallest event uid at the onset). `count` is exact; `signals`, `evidence`
    and `entities` hold the first and last 20 of long episodes.
    """

    id: str
    rule: str
    title: str
    level: Level
    group: dict[str, str]
    first_time: Time
    onset_time: Time
    last_time: Time
    count: int
    signals: tuple[str, ...]
    entities: tuple[Entity, ...] = ()
    families: tuple[str, ...] = ()
    confidence: float = Field(ge=0, le=1)
    tags: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    body_sha256: str
    meta: Meta
