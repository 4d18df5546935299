"""VEX: what the statements of one document say of an asset and a vulnerability, taken together."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TypeVar

from correlators.weakness import AGAINST

Subject = TypeVar("Subject", bound=Hashable)


def disputed(said: Iterable[tuple[Subject, str | None]]) -> frozenset[Subject]:
    """The subjects of which one statement says that it is not affected, and another does not.

    An image with two copies of a package, one of them affected, is affected: what is said of the
    other waives nothing of the image.
    """
    states: dict[Subject, set[bool]] = {}
    for subject, state in said:
        states.setdefault(subject, set()).add(state in AGAINST)
    return frozenset(subject for subject, known in states.items() if len(known) > 1)


def statement(state: str | None, *, doubt: bool) -> str | None:
    """What is to stand of an asset: the state, unless it waives and is in doubt."""
    return None if doubt and state in AGAINST else state
