"""Policy: what has to hold before something is built, merged or released, as checks of a gate."""

from __future__ import annotations

from datetime import date
from typing import Literal, Self

from pydantic import Field, model_validator

from schemas.event import Level, Record
from schemas.framework import Against, Need, Pattern

READABLE = "readable"  # the check that every gate has: its inputs can be read


class Weaknesses(Record):
    """Open weaknesses that a check forbids: of all of these, those that fit everything said here.

    `severity` and above, `on` these things; `fixable` by a version that is named; `exploited` as
    KEV has it; `likely` to be, by an EPSS probability of at least that. A VEX statement that is
    open takes a weakness out.
    """

    severity: Level = "informational"
    on: tuple[Pattern, ...] = ()
    fixable: bool = False
    exploited: bool = False
    likely: float | None = Field(default=None, gt=0, le=1)


class Allowed(Record):
    """Things of the patterns `of` that there may be: `only` those that one of these names."""

    of: tuple[Pattern, ...] = Field(min_length=1)
    only: tuple[Pattern, ...]


class Check(Record):
    """Something that has to hold. Exactly one of the first four says what is held against it.

    `weaknesses` that are open; `against`, evidence as criteria have it: facts, alerts, matches of
    rules, what the inventory shows; things other than `allow`; `criteria` that are not met.
    `needs`: what must have been heard before it can hold, as criteria have it; a check without
    them holds where nobody looked. `unassessed`: what a criterion comes to that lacks evidence.
    `severity` replaces that of what is found.
    """

    id: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    title: str
    rationale: str = ""
    weaknesses: Weaknesses | None = None
    against: Against | None = None
    allow: Allowed | None = None
    criteria: tuple[str, ...] = ()
    needs: tuple[Need, ...] = ()
    unassessed: Literal["fail", "pass"] = "fail"
    severity: Level | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        said = (self.weaknesses, self.against, self.allow, self.criteria or None)
        if sum(one is not None for one in said) != 1:
            raise ValueError("says exactly one of `weaknesses`, `against`, `allow`, `criteria`")
        if self.id == READABLE:
            raise ValueError(f"`{READABLE}` is the check that every policy has; call it otherwise")
        return self


class Waiver(Record):
    """A violation that is put up with, for a reason and until the end of a day (UTC).

    It is of one `check`, `on` these things and `about` these weaknesses, rules or criteria (with
    `*` and `?`); where that is empty, of all.
    """

    check: str
    on: tuple[Pattern, ...] = ()
    about: tuple[str, ...] = ()
    reason: str = Field(min_length=1)
    owner: str | None = None
    until: date


class Policy(Record):
    """Checks that are judged together. `rejects`: how many records may be unreadable."""

    id: str
    title: str
    rationale: str = ""
    rejects: int = Field(default=0, ge=0)
    checks: tuple[Check, ...] = Field(min_length=1)
    waivers: tuple[Waiver, ...] = ()
    path: str = ""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        ids = [check.id for check in self.checks]
        if twice := sorted({id_ for id_ in ids if ids.count(id_) > 1}):
            raise ValueError(f"has the check {twice[0]} twice")
        return self
