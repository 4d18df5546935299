"""Tally: how often a detection matched, when, and a sample to look at."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence
from zlib import crc32

from schemas.times import HOUR

SAMPLED = 200  # matches of which a sample consists
DISTINCT = 4_000_000  # matches whose uids are remembered, so that a copy counts once


class Tally:
    """Counts of one detection. Times are microseconds, `hours` are numbered from 1970.

    `copies` repeat a match that was counted. They are told from new ones where the tally is
    `distinct`, until DISTINCT are known.
    `late` matches are counted, and are in no correlation. `ungrouped`: in none for want of a group.
    """

    def __init__(self, *, distinct: bool = True) -> None:
        self.matches = self.copies = self.late = self.ungrouped = 0
        self.first: int | None = None
        self.last: int | None = None
        self.hours: dict[int, int] = {}
        self.distinct = distinct
        self._seen: set[int] = set()
        self._sample: list[tuple[int, str, int, int]] = []  # a heap, what is first to go on top
        self._bar = 2**32  # no lot from here on gets in

    def note(self, time: int, uid: str, place: int) -> bool:
        """A match of the event `uid`; `place` is the number of its record. False for a copy."""
        if self.distinct:
            mark = hash(uid)
            if mark in self._seen:
                self.copies += 1
                return False
            self._seen.add(mark)
            self.distinct = len(self._seen) < DISTINCT
        self.matches += 1
        hour = time // HOUR
        self.hours[hour] = self.hours.get(hour, 0) + 1
        if self.first is None or time < self.first:
            self.first = time
        if self.last is None or time > self.last:
            self.last = time
        self._sampled(crc32(uid.encode()), time, uid, place)
        return True

    def notes(self, times: Sequence[int], uids: Sequence[str], places: Sequence[int]) -> None:
        """As `note` for each: quicker where all are new."""
        if self.distinct:
            marks = set(map(hash, uids))
            full = len(self._seen) + len(marks) >= DISTINCT
            if full or len(marks) < len(uids) or not marks.isdisjoint(self._seen):
                for match in zip(times, uids, places, strict=True):
                    self.note(*match)
                return
            self._seen |= marks
        if not times:
            return
        self.matches += len(times)
        first, last = min(times), max(times)
        self.first = first if self.first is None else min(first, self.first)
        self.last = last if self.last is None else max(last, self.last)
        hours = {first // HOUR: len(times)}
        if last // HOUR > first // HOUR:
            hours = Counter([time // HOUR for time in times])
        for hour, count in hours.items():
            self.hours[hour] = self.hours.get(hour, 0) + count
        if not self.distinct and len(self._sample) == SAMPLED:
            return  # of what is only counted the first ones are enough
        for time, uid, place in zip(times, uids, places, strict=True):
            if (lot := crc32(uid.encode())) < self._bar:
                self._sampled(lot, time, uid, place)

    def _sampled(self, lot: int, time: int, uid: str, place: int) -> None:
        """The smallest hashes: a sample by chance that no order of arrival changes."""
        if len(self._sample) < SAMPLED:
            heapq.heappush(self._sample, (-lot, uid, place, time))
        elif lot < self._bar:
            heapq.heapreplace(self._sample, (-lot, uid, place, time))
        if len(self._sample) == SAMPLED:
            self._bar = -self._sample[0][0]

    def sample(self) -> list[tuple[int, str, int]]:
        """(time, uid, place) of up to SAMPLED matches, by time."""
        return sorted((time, uid, place) for _, uid, place, time in self._sample)
