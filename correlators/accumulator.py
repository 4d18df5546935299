"""Accumulators: what a window keeps of its hits, one kind for each type of correlation.

Laws (DESIGN 5; each was shown to be needed by breaking it):
1. The window of time t holds the hits with t - timespan <= time <= t: trailing, both ends included.
2. What is kept is O(condition) and decides the condition exactly:
   event_count keeps the latest max n + 1 hits: min(true count, max n + 1) decides every comparison
   with n.
   value_count keeps the latest hit of the max n + 1 freshest values: a value pushed out has as many
   fresher ones.
   temporal keeps the latest hit of each rule.
   temporal_ordered keeps for each prefix of the rules the chain that starts latest: a later start
   dominates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import eq, ge, gt, le, lt, ne

import msgspec

from correlators.evidence import Pair
from schemas.correlation import Correlation

OPERATORS: dict[str, Callable[[int, int], bool]] = {
    "gt": gt,
    "gte": ge,
    "lt": lt,
    "lte": le,
    "eq": eq,
    "neq": ne,
}


class Hit(msgspec.Struct, frozen=True, array_like=True):
    """An event, or a qualifying time of a lower correlation, as one rule sees it.

    `names` are the referred rules that it stands for; `value` the counted value, compared as text
    ignoring case. `signals` and `evidence` say what it rests on; `entities` are keys `kind:id`.
    """

    time: int
    id: str
    names: tuple[str, ...]
    value: str | None = None
    signals: tuple[str, ...] = ()
    evidence: tuple[Pair, ...] = ()
    entities: tuple[str, ...] = ()
    families: tuple[str, ...] = ()


class Count(msgspec.Struct, tag="event_count", array_like=True):
    """event_count: the latest max n + 1 hits."""

    hits: list[Hit] = msgspec.field(default_factory=list)

    def prune(self, rule: Correlation, time: int) -> None:
        """Forget what no window from `time` on needs."""
        oldest = time - rule.timespan
        keep = max(0, len(self.hits) - _cap(rule))
        while keep < len(self.hits) and self.hits[keep].time < oldest:
            keep += 1
        del self.hits[:keep]

    def add(self, _rule: Correlation, hits: Sequence[Hit]) -> None:
        """Take all hits of one time, in id order.

        They may pass the cap until the next `prune`: an onset counts them all.
        """
        self.hits.extend(hits)

    def holds(self, rule: Correlation) -> bool:
        """True if the condition holds over what is kept."""
        return _compare(rule, len(self.hits))

    def witnesses(self, time: int) -> list[Hit]:
        """What holds the condition up apart from the hits of `time`."""
        return [hit for hit in self.hits if hit.time < time]

    def copy(self) -> Count:
        """A copy that can be changed."""
        return Count(self.hits.copy())

    def idle(self) -> bool:
        """True if nothing is kept."""
        return not self.hits


class Values(msgspec.Struct, tag="value_count", array_like=True):
    """value_count: the latest hit of the max n + 1 freshest values, oldest first."""

    latest: dict[str, Hit] = msgspec.field(default_factory=dict)

    def prune(self, rule: Correlation, time: int) -> None:
        """Forget what no window from `time` on needs."""
        oldest = time - rule.timespan
        stale: list[str] = []
        for value, hit in self.latest.items():
            if hit.time >= oldest:
                break
            stale.append(value)
        for value in stale:
            del self.latest[value]

    def add(self, rule: Correlation, hits: Sequence[Hit]) -> None:
        """Take all hits of one time, in id order; hits without a value do not count."""
        for hit in hits:
            if hit.value is None:
                continue
            known = self.latest.get(hit.value)
            if known is None or known.time != hit.time:  # of equal times the smallest id stays
                self.latest.pop(hit.value, None)
                self.latest[hit.value] = hit
        for value in list(self.latest)[: max(0, len(self.latest) - _cap(rule))]:
            del self.latest[value]

    def holds(self, rule: Correlation) -> bool:
        """True if there is a value at all and the condition holds over the number of values."""
        return bool(self.latest) and _compare(rule, len(self.latest))

    def witnesses(self, time: int) -> list[Hit]:
        """What holds the condition up apart from the hits of `time`."""
        return sorted((h for h in self.latest.values() if h.time < time), key=_order)

    def copy(self) -> Values:
        """A copy that can be changed."""
        return Values(self.latest.copy())

    def idle(self) -> bool:
        """True if nothing is kept."""
        return not self.latest


class Temporal(msgspec.Struct, tag="temporal", array_like=True):
    """temporal: the latest hit of each rule."""

    latest: dict[str, Hit] = msgspec.field(default_factory=dict)

    def prune(self, rule: Correlation, time: int) -> None:
        """Forget what no window from `time` on needs."""
        oldest = time - rule.timespan
        for name in [n for n, hit in self.latest.items() if hit.time < oldest]:
            del self.latest[name]

    def add(self, rule: Correlation, hits: Sequence[Hit]) -> None:
        """Take all hits of one time, in id order; of equal times the smallest id stays."""
        for hit in reversed(hits):
            for name in hit.names:
                if name in rule.rules:
                    self.latest[name] = hit

    def holds(self, rule: Correlation) -> bool:
        """True if every rule has a hit (or as many as the condition asks)."""
        if rule.condition:
            return _compare(rule, len(self.latest))
        return len(self.latest) == len(rule.rules)

    def witnesses(self, time: int) -> list[Hit]:
        """What holds the condition up apart from the hits of `time`."""
        return _distinct(hit for hit in self.latest.values() if hit.time < time)

    def copy(self) -> Temporal:
        """A copy that can be changed."""
        return Temporal(self.latest.copy())

    def idle(self) -> bool:
        """True if nothing is kept."""
        return not self.latest


class Ordered(msgspec.Struct, tag="temporal_ordered", array_like=True):
    """temporal_ordered: `chains[j]` is the chain of the first j + 1 rules that starts latest."""

    chains: list[tuple[Hit, ...] | None] = msgspec.field(default_factory=list)

    def prune(self, rule: Correlation, time: int) -> None:
        """Forget chains that start before the window of `time`."""
        oldest = time - rule.timespan
        self.chains = [c if c and c[0].time >= oldest else None for c in self.chains]

    def add(self, rule: Correlation, hits: Sequence[Hit]) -> None:
        """Take all hits of one time. In rule order, so that equal times count as in order."""
        first: dict[str, Hit] = {}
        for hit in hits:
            for name in hit.names:
                first.setdefault(name, hit)
        self.chains += [None] * (len(rule.rules) - len(self.chains))
        for place, name in enumerate(rule.rules):
            if name in first:
                before = self.chains[place - 1] if place else ()
                if before is not None:
                    chain = (*before, first[name])
                    best = self.chains[place]
                    if best is None or chain[0].time > best[0].time:
                        self.chains[place] = chain

    def holds(self, rule: Correlation) -> bool:
        """True if a whole chain lies in the window."""
        return len(self.chains) == len(rule.rules) and self.chains[-1] is not None

    def witnesses(self, time: int) -> list[Hit]:
        """The hits of the whole chain apart from those of `time`."""
        chain = self.chains[-1] if self.chains else None
        return _distinct(hit for hit in chain or () if hit.time < time)

    def copy(self) -> Ordered:
        """A copy that can be changed."""
        return Ordered(self.chains.copy())

    def idle(self) -> bool:
        """True if nothing is kept."""
        return not any(self.chains)


Accumulator = Count | Values | Temporal | Ordered
KINDS: dict[str, type[Accumulator]] = {
    "event_count": Count,
    "value_count": Values,
    "temporal": Temporal,
    "temporal_ordered": Ordered,
}


def _cap(rule: Correlation) -> int:
    return max(rule.condition.values()) + 1


def _compare(rule: Correlation, number: int) -> bool:
    return all(OPERATORS[op](number, n) for op, n in rule.condition.items())


def _order(hit: Hit) -> tuple[int, str]:
    return hit.time, hit.id


def _distinct(hits: Iterable[Hit]) -> list[Hit]:
    return sorted({(h.time, h.id): h for h in hits}.values(), key=_order)
