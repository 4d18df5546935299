"""Runs: which times of many hits in order qualify; the types that times, values and names decide.

Laws:
1. They say what the accumulators of the same types say (`correlators.accumulator`), for hits that
   are all known, without making anything of those that nobody shows. A test holds it.
2. The hits of a run are in order of (time, uid), one for each event. `kept` are those that decide
   over what is to come, in an order in which a next run can begin with them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence

from correlators.sightings import Plain
from schemas.correlation import Correlation
from schemas.times import BEGINNING, END

Place = tuple[int, int]  # of the hits of one time: from, to


class Run(ABC):
    """Hits in order: the first `begun` were told before, and are here for the others."""

    def __init__(self, rule: Correlation, kept: Sequence[Plain], hits: Sequence[Plain]) -> None:
        self.rule, self.begun = rule, len(kept)
        self.hits: Sequence[Plain] = [*kept, *hits] if kept else hits
        self.times = [hit[0] for hit in self.hits]

    @abstractmethod
    def qualifying(self) -> Iterator[Place]:
        """The times that qualify, in order; `witnesses` may be asked of each as it comes."""

    @abstractmethod
    def witnesses(self, start: int) -> list[Plain]:
        """What holds the condition up at the time of the hit at `start` and is older."""

    @abstractmethod
    def kept(self) -> Sequence[Plain]:
        """The hits that may still count, once all times were told."""

    def _picked(self, places: Iterable[int]) -> list[Plain]:
        return [self.hits[place] for place in places]

    def _smallest(self, place: int, alike: Callable[[Plain], bool]) -> int:
        """The first hit of the time of the one at `place` that is `alike`."""
        times, time, first = self.times, self.times[place], place
        while place and times[place - 1] == time:
            place -= 1
            if alike(self.hits[place]):
                first = place
        return first


class Counts(Run):
    """event_count."""

    def qualifying(self) -> Iterator[Place]:
        """See Run."""
        rule, times = self.rule, self.times
        timespan, most, total = rule.timespan, rule.most, len(times)
        end = start = 0
        few = least(rule) - 1
        if few > 0:  # before this no time has enough
            near = (n for n in range(few, total) if times[n] - times[n - few] <= timespan)
            end = next(near, total)
            while 0 < end < total and times[end - 1] == times[end]:
                end -= 1
        end = max(end, self.begun)
        while end < total:
            first, time = end, times[end]
            end += 1
            while end < total and times[end] == time:
                end += 1
            oldest = time - timespan
            start = max(start, first - most)
            while times[start] < oldest:
                start += 1
            if end - start > few and rule.fulfilled(end - start):
                yield first, end

    def witnesses(self, start: int) -> list[Plain]:
        """See Run."""
        oldest = bisect_left(self.times, self.times[start] - self.rule.timespan)
        return list(self.hits[max(oldest, start - self.rule.most) : start])

    def kept(self) -> Sequence[Plain]:
        """See Run."""
        oldest = bisect_left(self.times, self.times[-1] - self.rule.timespan)
        return self.hits[max(oldest, len(self.hits) - self.rule.most) :]


class Values(Run):
    """value_count: of each value in the window the place of the last hit."""

    def qualifying(self) -> Iterator[Place]:
        """See Run."""
        self._last: dict[str, int] = {}
        self._start = 0  # what lies before is forgotten, at the latest when it would count
        last, rule, hits, times = self._last, self.rule, self.hits, self.times
        timespan, begun, few = rule.timespan, self.begun, max(1, least(rule))
        for place, (hit, time, after) in enumerate(
            zip(hits, times, [*times[1:], END], strict=True)
        ):
            value = hit[4]
            if value is not None:
                last[value] = place
            if after == time or len(last) < few or place < begun:
                continue
            if times[self._start] < time - timespan:
                self._forget(time - timespan)
            if len(last) >= few and rule.fulfilled(len(last)):
                first = place
                while first and times[first - 1] == time:
                    first -= 1
                yield first, place + 1

    def witnesses(self, start: int) -> list[Plain]:
        """See Run."""
        return sorted(self._picked(place for place in self._freshest() if place < start))

    def kept(self) -> Sequence[Plain]:
        """See Run."""
        self._forget(self.times[-1] - self.rule.timespan)
        return self._picked(self._freshest())

    def _forget(self, oldest: int) -> None:
        last, hits, start = self._last, self.hits, self._start
        self._start = bisect_left(self.times, oldest, start)
        for place in range(start, self._start):
            value = hits[place][4]
            if value is not None and last.get(value) == place:
                del last[value]

    def _freshest(self) -> list[int]:
        """Of the freshest values, the last to be seen at the end, the hits."""
        seen = sorted(self._last.values())[-self.rule.most :]
        return [self._first(place) for place in seen]

    def _first(self, place: int) -> int:
        value = self.hits[place][4]
        return self._smallest(place, lambda hit: hit[4] == value)


class Names(Run):
    """temporal: of each rule the place of the last hit."""

    def qualifying(self) -> Iterator[Place]:
        """See Run."""
        self._last: dict[str, int] = {}
        last, rule, times = self._last, self.rule, self.times
        timespan, total, begun, all_ = rule.timespan, len(times), self.begun, len(rule.rules)
        until = BEGINNING  # so long all that was seen is in the window
        for place, hit in enumerate(self.hits):
            for name in hit[3]:
                last[name] = place
            time = hit[0]
            if len(last) < all_ or (place + 1 < total and times[place + 1] == time):
                continue
            if time > until:
                until = times[min(last.values())] + timespan
            if time <= until and place >= begun:
                first = place
                while first and times[first - 1] == time:
                    first -= 1
                yield first, place + 1

    def witnesses(self, start: int) -> list[Plain]:
        """See Run."""
        return self._picked(place for place in self._latest() if place < start)

    def kept(self) -> Sequence[Plain]:
        """See Run."""
        oldest = self.times[-1] - self.rule.timespan
        return self._picked(place for place in self._latest() if self.times[place] >= oldest)

    def _latest(self) -> list[int]:
        return sorted(
            {
                self._smallest(place, lambda hit, name=name: name in hit[3])  # type: ignore[misc]
                for name, place in self._last.items()
            }
        )


class Chains(Run):
    """temporal_ordered: of the first rules, one, two and so on, the chain that starts latest."""

    def qualifying(self) -> Iterator[Place]:
        """See Run."""
        rule, hits, times = self.rule, self.hits, self.times
        rules, timespan, total, begun = rule.rules, rule.timespan, len(times), self.begun
        self._chains: list[tuple[int, ...]] = [()] * len(rules)
        self._starts = [BEGINNING] * len(rules)
        chains, starts, end = self._chains, self._starts, 0
        where = {name: number for number, name in enumerate(rules)}
        while end < total:
            first, time = end, times[end]
            end += 1
            names = hits[first][3]
            oldest = time - timespan
            if len(names) == 1 and (end == total or times[end] != time):
                number = where[names[0]]
                if number == 0:
                    starts[0], chains[0] = time, (first,)
                elif starts[number - 1] >= oldest and starts[number - 1] > starts[number]:
                    starts[number] = starts[number - 1]
                    chains[number] = (*chains[number - 1], first)
            else:
                while end < total and times[end] == time:
                    end += 1
                self._lengthen(first, end)
            if starts[-1] >= oldest and first >= begun:
                yield first, end

    def witnesses(self, start: int) -> list[Plain]:
        """See Run."""
        return self._picked(sorted({place for place in self._chains[-1] if place < start}))

    def kept(self) -> Sequence[Plain]:
        """See Run."""
        oldest = self.times[-1] - self.rule.timespan
        alive = (c for c, start in zip(self._chains, self._starts, strict=True) if start >= oldest)
        return self._picked(sorted({place for chain in alive for place in chain}))

    def _lengthen(self, first: int, end: int) -> None:
        """As `correlators.accumulator.ordered` has it, for several hits of one time."""
        chains, starts = self._chains, self._starts
        oldest = self.times[first] - self.rule.timespan
        found: dict[str, int] = {}
        for place in range(first, end):
            for name in self.hits[place][3]:
                found.setdefault(name, place)
        for number, name in enumerate(self.rule.rules):
            place = found.get(name, -1)
            if place < 0:
                continue
            before = starts[number - 1] if number else self.times[first]
            if before >= oldest and before > starts[number]:
                starts[number] = before
                chains[number] = (*(chains[number - 1] if number else ()), place)


def run_of(rule: Correlation) -> type[Run] | None:
    """What tells the qualifying times of a rule; None: windows do."""
    kinds: dict[str, type[Run]] = {"event_count": Counts, "value_count": Values}
    if not (rule.clauses or rule.condition) and len(set(rule.rules)) == len(rule.rules):
        kinds |= {"temporal": Names, "temporal_ordered": Chains}
    return kinds.get(rule.type)


def least(rule: Correlation) -> int:
    """How many hits, values or rules the condition needs at least; of numbers, one."""
    if not rule.condition:
        return len(rule.rules) if not rule.clauses else 1
    more = {"gte": 0, "eq": 0, "gt": 1}
    asked = (int(number) + more[op] for op, number in rule.condition.items() if op in more)
    return max((1, *asked))
