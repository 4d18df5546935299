"""Pending: times that qualify unless a hit follows that must not.

Laws:
1. A time at which a clause holds is a candidate. A clause with absent rules stands if none of these
   has a hit up to the time + timespan, both ends included.
2. That moment is rounded up to the end of a cell, a 64th of the timespan, so that the times of one
   cell are decided together and what is kept is O(64 x clauses x rules), not one by one.
3. Candidates are decided in order of time: whether one begins an episode or goes on with it depends
   on those before.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from correlators.accumulator import Hit
from schemas.correlation import Correlation


class Candidate(msgspec.Struct, array_like=True):
    """Candidates of one cell with the same fate, from `time` to `last`.

    `due`: the moment behind which it qualifies. `live`: a bit for each clause that still stands; 0
    if one without absent rules holds, which nothing undoes. `hit` is its smallest first hit,
    `before` what held it up then. `count` hits from `time` to `last`, `between` since.
    """

    time: int
    last: int
    due: int
    live: int
    hit: Hit
    before: list[Hit]
    count: int
    between: int = 0

    def join(self, other: Candidate) -> None:
        """Go on with one of the same cell and fate, that follows."""
        self.count += self.between + other.count
        self.between, self.last, self.due = other.between, other.last, max(self.due, other.due)


def goes_on(
    rule: Correlation, queue: list[Candidate], time: int, hits: Sequence[Hit], live: int
) -> bool:
    """True if the hits of `time` have the cell and the fate of the newest candidate: it has them.

    `live` as `Ways` has it.
    """
    newest = queue[-1] if queue else None
    standing = 0 if live & rule.certain else live
    if newest is None or newest.live != standing or newest.time // rule.cell != time // rule.cell:
        return False
    newest.count += newest.between + len(hits)
    newest.between, newest.last = 0, time
    newest.due = max(newest.due, time)
    return True


def candidate(
    rule: Correlation, time: int, hits: Sequence[Hit], live: int, before: list[Hit]
) -> Candidate:
    """The candidate that the hits of `time` begin; `live` as `Ways` has it."""
    sure = live & rule.certain
    due = time if sure else _end(rule, time) + rule.timespan
    return Candidate(time, time, due, 0 if sure else live, hits[0], before, len(hits))


def undo(rule: Correlation, queue: list[Candidate], time: int, hits: Sequence[Hit]) -> int:
    """Take out what the hits of `time` undo; how many hits stood before all that is left."""
    names = {name for hit in hits for name in hit.names}
    dead = sum(1 << n for n, seq in enumerate(rule.sequences) if not names.isdisjoint(seq.after))
    lost, due = 0, 0
    kept: list[Candidate] = []
    for one in queue:
        standing = one.live & ~dead
        if one.live and not standing:
            due = time
            if kept:
                kept[-1].between += one.count + one.between
            else:
                lost += one.count + one.between
            continue
        one.live, one.due = standing, max(one.due, due)
        if kept and _alike(rule, kept[-1], one):
            kept[-1].join(one)
        else:
            kept.append(one)
    queue[:] = kept
    return lost


def _alike(rule: Correlation, one: Candidate, other: Candidate) -> bool:
    return one.live == other.live and one.time // rule.cell == other.time // rule.cell


def _end(rule: Correlation, time: int) -> int:
    """The last microsecond of the cell of `time`."""
    return (time // rule.cell + 1) * rule.cell - 1
