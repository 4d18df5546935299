"""Surroundings: what the assets of a system say of themselves, which makes the same evidence matter more."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from correlators.legs import OpenFact


class Surroundings(msgspec.Struct, array_like=True, frozen=True):
    """The widest exposure, all data labels and the highest criticality in a system; None and empty are unknown."""

    exposure: str | None = None
    data: tuple[str, ...] = ()
    criticality: str | None = None


def surroundings(facts: Iterable[OpenFact]) -> Surroundings:
    """Exposure, data labels and criticality from the open asset facts of a system; the widest exposure wins."""
    found: dict[str, set[str]] = {}
    for fact in facts:
        found.setdefault(fact.name, set()).add(fact.instance)
    exposure, criticality = (
        found.get("asset.exposure", set()),
        found.get("asset.criticality", set()),
    )
    return Surroundings(
        "internet" if "internet" in exposure else min(exposure, default=None),
        tuple(sorted(found.get("asset.data", ()))),
        "critical" if "critical" in criticality else min(criticality, default=None),
    )
