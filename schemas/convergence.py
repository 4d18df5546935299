"""Convergence: our story rule, independent legs that meet on one entity of one AI system."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from schemas.alert import Stage
from schemas.entity import Kind
from schemas.event import Level, Record
from schemas.times import DAY, Duration

LegClass = Literal["change", "runtime", "posture", "intel"]


def _kinds(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Kinds = Annotated[tuple[Kind, ...], BeforeValidator(_kinds)]


class Leg(Record):
    """One condition of a convergence.

    `of`: ids of detections or correlations (any of them), or `levels`: every detection and
    correlation of these levels. `at_least` hits within the window. `after`: the name of the leg
    that must have held before (equal times count). `alone`: the stage of this leg by itself.

    Posture: `fact` is open, as of the time of the other legs, `on` an entity of this kind: the join
    entity itself where `on` is the join kind; one of the entities that carried the legs where `on`
    is a via kind; any entity of the system otherwise. A convergence that joins on `system` asks for
    no more than that: there `on` a via kind, too, is any entity of the system.

    Negated: `absent` = true; holds when nothing of `of` came within `within` after a hit of the leg
    `since`.
    """

    class_: LegClass = Field(alias="class")
    of: tuple[str, ...] = ()
    levels: tuple[Level, ...] = ()
    at_least: int = Field(default=1, ge=1, le=100)
    after: str | None = None
    fact: str | None = None
    on: Kind | None = None
    absent: bool = False
    since: str | None = None
    within: Duration | None = None
    alone: Stage = "outlook"

    @model_validator(mode="after")
    def _one_meaning(self) -> Self:
        posture = self.class_ == "posture"
        if posture and not (self.fact and self.on):
            raise ValueError("a posture leg needs `fact` and `on`")
        if not posture and bool(self.of) == bool(self.levels):
            raise ValueError("a leg needs exactly one of `of` and `levels`")
        if self.absent and not (self.since and self.within):
            raise ValueError("an absent leg needs `since` and `within`")
        return self


class RuleAction(Record):
    """A recommended action; `removes` names the legs whose points it takes away."""

    text: str
    control: str | None = None
    removes: tuple[str, ...] = ()


class Convergence(Record):
    """A story.

    `join`: the entity kind that all legs share, or `system`. `via`: the entity kinds through which
    a leg reaches an AI system (the first kind that the signal names); default = join. Legs older
    than `window` leave; an alert that did not hold for `ttl` expires. `yields`: evidence that
    already carries another open alert is left to that one.
    """

    id: str
    title: str
    summary: str
    catalogue: str | None = None
    severity: Level = "high"
    join: Kind | Literal["system"]
    via: Kinds = ()
    window: Duration = Field(gt=0)
    ttl: Duration = Field(default=DAY, gt=0)
    legs: dict[str, Leg] = Field(min_length=1)
    yields: bool = False
    tags: tuple[str, ...] = ()
    actions: tuple[RuleAction, ...] = ()
    path: str = ""

    @model_validator(mode="after")
    def _legs_resolve(self) -> Self:
        seen: set[str] = set()
        for name, leg in self.legs.items():
            for ref in (leg.after, leg.since):
                if ref is not None and ref not in seen:
                    raise ValueError(f"leg {name!r} refers to {ref!r}, which is not a leg above it")
            seen.add(name)
        if not self.carriers:
            raise ValueError("a convergence that joins on `system` needs `via`")
        return self

    @property
    def carriers(self) -> tuple[Kind, ...]:
        """The entity kinds through which legs travel to AI systems, in order of preference."""
        if self.via:
            return self.via
        return () if self.join == "system" else (self.join,)

    @property
    def latent(self) -> bool:
        """True if all legs are posture: it needs no signal, and is never more than an outlook."""
        return all(leg.class_ == "posture" for leg in self.legs.values())

    @property
    def facts(self) -> frozenset[str]:
        """The names of the facts that its posture legs look at."""
        return frozenset(leg.fact for leg in self.legs.values() if leg.fact)
