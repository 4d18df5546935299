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
   A condition over rules keeps the same for each of its clauses, and temporal_ordered with a number
   for each number of rules the chain that starts latest.
   value_sum, value_avg, value_percentile and value_median keep 64 cells of a timespan.
3. `fold` takes all hits of one time, in id order, after those of earlier times. It costs O(1)
   amortised in the numbers of the condition.
"""

from correlators.accumulator.cells import Cells
from correlators.accumulator.count import Count
from correlators.accumulator.hit import Hit
from correlators.accumulator.longest import Longest
from correlators.accumulator.ordered import Ordered
from correlators.accumulator.temporal import Temporal
from correlators.accumulator.values import Values
from correlators.accumulator.ways import Ways
from schemas.correlation import STATISTICS, Correlation

__all__ = ["Accumulator", "Hit", "empty"]

Accumulator = Count | Values | Temporal | Ordered | Longest | Ways | Cells


def empty(rule: Correlation) -> Accumulator:
    """What a window of `rule` keeps while nothing happened."""
    if rule.clauses:
        return Ways()
    if rule.type in STATISTICS:
        return Cells()
    if rule.type == "temporal_ordered":
        return Longest() if rule.condition else Ordered()
    if rule.type == "temporal":
        return Temporal()
    return Count() if rule.type == "event_count" else Values()
