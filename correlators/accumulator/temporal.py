"""Temporal: which rules have a hit."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from correlators.accumulator.hit import Hit, distinct
from schemas.correlation import Correlation


class Temporal(msgspec.Struct, tag="temporal", array_like=True):
    """The latest hit of each rule."""

    latest: dict[str, Hit] = msgspec.field(default_factory=dict)

    def fold(self, rule: Correlation, time: int, hits: Sequence[Hit]) -> bool:
        """Take the hits of `time`; True if every rule has a hit, or as many as is asked."""
        latest = self.latest
        remember(rule, latest, time, hits)
        if rule.condition:
            return rule.fulfilled(len(latest))
        return len(latest) == len(rule.rules)

    def witnesses(self, _rule: Correlation, hits: Sequence[Hit]) -> tuple[list[Hit], int]:
        """What holds the condition up apart from `hits`, those of one time, and how many."""
        found = distinct(hit for hit in self.latest.values() if hit.time < hits[0].time)
        return found, len(found)

    def copy(self) -> Temporal:
        """A copy that can be changed."""
        return Temporal(self.latest.copy())

    def idle(self) -> bool:
        """True if nothing is kept."""
        return not self.latest


def remember(rule: Correlation, latest: dict[str, Hit], time: int, hits: Sequence[Hit]) -> None:
    """Keep the latest hit of each rule of the window of `time`; of equal times the smallest id."""
    oldest = time - rule.timespan
    stale = [name for name, hit in latest.items() if hit.time < oldest]
    for name in stale:
        del latest[name]
    for hit in reversed(hits):
        for name in hit.names:
            if name in rule.rules:
                latest[name] = hit
