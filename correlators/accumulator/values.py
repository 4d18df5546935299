"""Values: value_count, how many different values."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import msgspec

from correlators.accumulator.hit import Hit, order
from schemas.correlation import Correlation

FEW = 128  # up to here the first key of a dict is found by looking


class Values(msgspec.Struct, tag="value_count", array_like=True, dict=True):
    """The latest hit of the max n + 1 freshest values, oldest first.

    A dict that loses its first keys is slow to find the next one. So beside many values there is a
    queue of their hits, never saved; one in it that is no longer the latest of its value is stale.
    """

    latest: dict[str, Hit] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Without a queue: it is made where it pays."""
        self._queue: deque[Hit] | None = None

    def fold(self, rule: Correlation, time: int, hits: Sequence[Hit]) -> bool:
        """Take the hits of `time`; True if there is a value at all and the condition holds.

        Hits without a value do not count.
        """
        latest, queue = self.latest, self._queue
        for hit in hits:
            value = hit.value
            if value is None:
                continue
            known = latest.pop(value, None)
            if known is not None and known.time == time:  # of equal times the smallest id stays
                latest[value] = known
                continue
            latest[value] = hit
            if queue is not None:
                queue.append(hit)
        if queue is None and len(latest) <= FEW:
            self._forget(rule.most, time - rule.timespan)
        else:
            self._forget_many(rule.most, time - rule.timespan)
        return bool(latest) and rule.fulfilled(len(latest))

    def witnesses(self, _rule: Correlation, hits: Sequence[Hit]) -> tuple[list[Hit], int]:
        """What holds the condition up apart from `hits`, those of one time, and how many."""
        found = sorted((hit for hit in self.latest.values() if hit.time < hits[0].time), key=order)
        return found, len(found)

    def copy(self) -> Values:
        """A copy that can be changed."""
        return Values(self.latest.copy())

    def idle(self) -> bool:
        """True if nothing is kept."""
        return not self.latest

    def _forget(self, most: int, oldest: int) -> None:
        latest = self.latest
        while latest:
            value = next(iter(latest))
            if len(latest) <= most and latest[value].time >= oldest:
                return
            del latest[value]

    def _forget_many(self, most: int, oldest: int) -> None:
        latest, queue = self.latest, self._queue
        if queue is None or len(queue) > 2 * len(latest) + FEW:
            queue = self._queue = deque(latest.values())
        while queue:
            hit = queue[0]
            if len(latest) <= most and hit.time >= oldest:
                return
            queue.popleft()
            if latest.get(str(hit.value)) is hit:
                del latest[str(hit.value)]
