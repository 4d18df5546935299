"""Ways: whether a condition over rules holds, `a and (b or not c)`, as far as is known now."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from correlators.accumulator.hit import Hit, distinct
from correlators.accumulator.ordered import Chain, first_of, lengthen
from correlators.accumulator.temporal import remember
from schemas.correlation import Correlation


class Ways(msgspec.Struct, tag="ways", array_like=True):
    """The latest hit of each rule; where order counts, of each clause the chains of its rules.

    `live`: a bit for each clause that holds at the time of the last hits.
    """

    latest: dict[str, Hit] = msgspec.field(default_factory=dict)
    chains: list[list[Chain | None]] = msgspec.field(default_factory=list)
    live: int = 0

    def fold(self, rule: Correlation, time: int, hits: Sequence[Hit]) -> bool:
        """Take the hits of `time`; True if a clause holds, were nothing to follow."""
        latest, ordered = self.latest, rule.type == "temporal_ordered"
        remember(rule, latest, time, hits)
        first = first_of(hits)
        if ordered and not self.chains:
            self.chains = [[None] * len(sequence.present) for sequence in rule.sequences]
        live = 0
        for place, (present, before, after) in enumerate(rule.sequences):
            if ordered and present:
                lengthen(self.chains[place], present, time - rule.timespan, first)
                held = self.chains[place][-1] is not None
            else:
                held = all(name in latest for name in present)
            if held and latest.keys().isdisjoint(before) and first.keys().isdisjoint(after):
                live |= 1 << place
        self.live = live
        return live > 0

    def witnesses(self, rule: Correlation, hits: Sequence[Hit]) -> tuple[list[Hit], int]:
        """The hits that the live clauses rest on apart from `hits`, those of one time."""
        kept: list[Hit] = []
        for place, sequence in enumerate(rule.sequences):
            if self.live >> place & 1:
                chain = self.chains[place][-1] if self.chains and sequence.present else None
                kept.extend(chain or (self.latest[name] for name in sequence.present))
        found = distinct(hit for hit in kept if hit.time < hits[0].time)
        return found, len(found)

    def copy(self) -> Ways:
        """A copy that can be changed."""
        return Ways(self.latest.copy(), [chains.copy() for chains in self.chains], self.live)

    def idle(self) -> bool:
        """True if nothing is kept."""
        return not self.latest
