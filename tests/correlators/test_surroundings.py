"""Surroundings: what the asset facts of a system say that it is like."""

from __future__ import annotations

from msgspec.structs import replace

from correlators.surroundings import Surroundings, surroundings
from tests.correlators.stories import open_fact


def test_the_widest_exposure_and_all_labels_are_what_a_system_is_like() -> None:
    facts = [
        replace(open_fact(name), instance=instance)
        for name, instance in (
            ("asset.exposure", "internal"),
            ("asset.exposure", "internet"),
            ("asset.data", "personal"),
            ("asset.data", "payment"),
            ("asset.criticality", "high"),
            ("other", "internet"),
        )
    ]
    assert surroundings(facts) == Surroundings("internet", ("payment", "personal"), "high")


def test_what_nobody_says_is_unknown() -> None:
    assert surroundings([]) == Surroundings(None, (), None)
