"""Bundle: the Ticks of many inputs told as one, so that no stage looks through thousands."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping

from correlators.ruleset import Ruleset
from schemas.rows import Tick
from schemas.times import BEGINNING
from streams.topology import feeding

LOGS, OTHERS = "@logs", "@others"  # no user's names


class Bundle:
    """Inputs with the same readers; it tells their lowest watermark, when that has moved.

    `carried` are the sources of its members as the topology takes them. It remembers what it told:
    for runs that save nothing, whose steps are not repeated.
    """

    def __init__(self, name: str, members: Iterable[str], carried: tuple[str, ...] | None) -> None:
        self.name, self.carried = name, carried
        self._marks = dict.fromkeys(members, BEGINNING)
        # A heap; a member that has moved stays in its old place until that is the lowest.
        self._lowest = [(BEGINNING, member) for member in self._marks]
        self._told = self._clock = BEGINNING

    def heard(self, tick: Tick) -> Iterator[Tick]:
        """The Tick of the bundle, if this one of a member has moved it."""
        self._marks[tick.input] = tick.watermark
        self._clock = max(self._clock, tick.clock)
        heapq.heappush(self._lowest, (tick.watermark, tick.input))
        while self._lowest[0][0] != self._marks[self._lowest[0][1]]:
            heapq.heappop(self._lowest)
        watermark = self._lowest[0][0]
        if watermark > self._told:
            self._told = watermark
            yield Tick(self.name, 0, watermark, self._clock)


def bundled(ruleset: Ruleset, sources: Mapping[str, Iterable[str] | None]) -> dict[str, Bundle]:
    """The bundle of each input: of those that feed correlations, or of the others."""
    logs = set(feeding(ruleset, sources))
    others = sources.keys() - logs
    found = dict.fromkeys(logs, Bundle(LOGS, logs, None))
    return found | dict.fromkeys(others, Bundle(OTHERS, others, ()))
