"""Count: event_count, how many hits."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from correlators.accumulator.hit import Hit
from schemas.correlation import Correlation

SLACK = 16  # at most one in so many hits lies before `start`: the list seldom moves


class Count(msgspec.Struct, tag="event_count", array_like=True):
    """The latest max n + 1 hits are `hits[start:]`; those before were forgotten."""

    hits: list[Hit] = msgspec.field(default_factory=list)
    start: int = 0

    def fold(self, rule: Correlation, time: int, hits: Sequence[Hit]) -> bool:
        """Take the hits of `time`; True if the condition holds."""
        kept, start, known = self.hits, self.start, len(self.hits)
        if known - start > rule.most:  # without those of `time`: an onset counts them all
            start = known - rule.most
        oldest = time - rule.timespan
        while start < known and kept[start].time < oldest:
            start += 1
        if start and SLACK * start >= known:
            del kept[:start]
            start = 0
        self.start = start
        kept.extend(hits)
        return rule.fulfilled(len(kept) - start)

    def witnesses(self, _rule: Correlation, hits: Sequence[Hit]) -> tuple[list[Hit], int]:
        """What holds the condition up apart from `hits`, those of one time, and how many."""
        found = [hit for hit in self.hits[self.start :] if hit.time < hits[0].time]
        return found, len(found)

    def copy(self) -> Count:
        """A copy that can be changed."""
        return Count(self.hits[self.start :])

    def idle(self) -> bool:
        """True if nothing is kept."""
        return len(self.hits) == self.start
