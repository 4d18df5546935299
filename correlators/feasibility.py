"""Feasibility: which techniques a system's entities make possible, and what would stop each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import yaml
from pydantic import Field

from correlators.atlas import name
from schemas.entity import Kind
from schemas.event import Record


class Feasible(NamedTuple):
    """Why a technique can come next on a system, and what would stop it."""

    precondition: str
    blocking_action: str


class Needs(Record):
    """The kinds of entities that a technique works on: each of `all`, and one of `any` if named."""

    all: tuple[Kind, ...] = ()
    any: tuple[Kind, ...] = ()
    precondition: str = Field(min_length=1)
    action: str = Field(min_length=1)
    mitigation: str = Field(pattern=r"^AML\.M\d{4}$")

    def met(self, kinds: Collection[str]) -> bool:
        """True if a system of these kinds of entities has what the technique needs."""
        whole = all(kind in kinds for kind in self.all)
        return whole and (not self.any or any(kind in kinds for kind in self.any))

    def feasible(self) -> Feasible:
        """The words of a forecast; the mitigation stands behind the action, with its name."""
        control = f"{self.mitigation} {name(self.mitigation)}"
        return Feasible(self.precondition, f"{self.action} ({control})")


@cache
def table() -> Mapping[str, Needs]:
    """The techniques that can be forecast, by id; sub-techniques are folded into their parents."""
    text = files("correlators").joinpath("feasibility.yml").read_text("utf-8")
    entries = yaml.load(text, Loader=yaml.CSafeLoader)
    return {technique: Needs.model_validate(entry) for technique, entry in entries.items()}


def on(kinds: Collection[str]) -> Callable[[str], Feasible | None]:
    """What is feasible on a system that contains entities of these kinds, by technique."""

    def feasible(technique: str) -> Feasible | None:
        needs = table().get(technique)
        return needs.feasible() if needs and needs.met(kinds) else None

    return feasible
