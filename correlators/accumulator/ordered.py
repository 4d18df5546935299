"""Ordered: whether each rule has a hit, in the order of the rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from correlators.accumulator.hit import Hit, distinct
from schemas.correlation import Correlation

Chain = tuple[Hit, ...]


class Ordered(msgspec.Struct, tag="temporal_ordered", array_like=True):
    """`chains[j]` is the chain of the first j + 1 rules that starts latest."""

    chains: list[Chain | None] = msgspec.field(default_factory=list)

    def fold(self, rule: Correlation, time: int, hits: Sequence[Hit]) -> bool:
        """Take the hits of `time`; True if a whole chain lies in its window."""
        chains = self.chains
        if not chains:
            chains.extend([None] * len(rule.rules))
        lengthen(chains, rule.rules, time - rule.timespan, first_of(hits))
        return chains[-1] is not None

    def witnesses(self, _rule: Correlation, hits: Sequence[Hit]) -> tuple[list[Hit], int]:
        """The hits of the whole chain apart from `hits`, those of one time, and how many."""
        chain = self.chains[-1] if self.chains else None
        found = distinct(hit for hit in chain or () if hit.time < hits[0].time)
        return found, len(found)

    def copy(self) -> Ordered:
        """A copy that can be changed."""
        return Ordered(self.chains.copy())

    def idle(self) -> bool:
        """True if nothing is kept."""
        return not any(self.chains)


def first_of(hits: Sequence[Hit]) -> dict[str, Hit]:
    """Of each rule the hit with the smallest id."""
    first: dict[str, Hit] = {}
    for hit in hits:
        for name in hit.names:
            first.setdefault(name, hit)
    return first


def lengthen(
    chains: list[Chain | None], rules: Sequence[str], oldest: int, first: Mapping[str, Hit]
) -> None:
    """Forget chains that start before `oldest`, and go on with the hits of one time.

    In the order of `rules`, so that equal times count as in order.
    """
    for place, chain in enumerate(chains):
        if chain is not None and chain[0].time < oldest:
            chains[place] = None
    before: Chain | None = ()
    for place, name in enumerate(rules):
        best = chains[place]
        if before is not None and (hit := first.get(name)) is not None:
            start = before[0].time if before else hit.time
            if best is None or start > best[0].time:
                best = chains[place] = (*before, hit)
        before = best
