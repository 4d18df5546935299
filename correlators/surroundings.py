"""Surroundings: what the assets of a system are, which makes the same evidence matter more."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from correlators.standing import OpenFact


class Surroundings(msgspec.Struct, array_like=True, frozen=True):
    """The widest exposure, all data labels and the highest criticality in a system.

    None and empty are unknown.
    """

    exposure: str | None = None
    data: tuple[str, ...] = ()
    criticality: str | None = None


def surroundings(facts: Iterable[OpenFact]) -> Surroundings:
    """Exposure, data labels and criticality from the open asset facts of a system.

    Of several, internet and critical win; of others the first by name, so that order is nothing.
    """
    found: dict[str, set[str]] = {}
    for fact in facts:
        found.setdefault(fact.name, set()).add(fact.instance)
    return Surroundings(
        _worst(found.get("asset.exposure", set()), "internet"),
        tuple(sorted(found.get("asset.data", ()))),
        _worst(found.get("asset.criticality", set()), "critical"),
    )


def _worst(values: set[str], worst: str) -> str | None:
    return worst if worst in values else min(values, default=None)
