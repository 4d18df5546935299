"""Longest: of how many rules, in their order, there are hits."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from correlators.accumulator.hit import Hit, distinct
from correlators.accumulator.ordered import Chain, first_of
from schemas.correlation import Correlation


class Longest(msgspec.Struct, tag="temporal_ordered_count", array_like=True):
    """`chains[j][n]` is the chain of n + 1 rules, the last of them j, that starts latest."""

    chains: list[list[Chain | None]] = msgspec.field(default_factory=list)

    def fold(self, rule: Correlation, time: int, hits: Sequence[Hit]) -> bool:
        """Take the hits of `time`; True if the condition holds for the length of the longest."""
        oldest = time - rule.timespan
        if not self.chains:
            self.chains = [[None] * (place + 1) for place in range(len(rule.rules))]
        for chains in self.chains:
            for n, chain in enumerate(chains):
                if chain is not None and chain[0].time < oldest:
                    chains[n] = None
        first = first_of(hits)
        for place, name in enumerate(rule.rules):  # in order, so that equal times count as in order
            if name in first:
                self._lengthen(place, first[name])
        return rule.fulfilled(len(self._best()))

    def witnesses(self, _rule: Correlation, hits: Sequence[Hit]) -> tuple[list[Hit], int]:
        """The hits of the longest chain apart from `hits`, those of one time, and how many."""
        found = distinct(hit for hit in self._best() if hit.time < hits[0].time)
        return found, len(found)

    def copy(self) -> Longest:
        """A copy that can be changed."""
        return Longest([chains.copy() for chains in self.chains])

    def idle(self) -> bool:
        """True if nothing is kept."""
        return not any(map(any, self.chains))

    def _lengthen(self, place: int, hit: Hit) -> None:
        """The chains that end with `hit` of the rule at `place`."""
        own = self.chains[place]
        own[0] = (hit,)
        for lower in self.chains[:place]:
            for n, chain in enumerate(lower):
                if chain is not None:
                    best = own[n + 1]
                    if best is None or chain[0].time > best[0].time:
                        own[n + 1] = (*chain, hit)

    def _best(self) -> Chain:
        """The longest chain; of equal ones the one that starts latest."""
        every = (chain for chains in self.chains for chain in chains if chain is not None)
        return max(every, key=lambda chain: (len(chain), chain[0].time), default=())
