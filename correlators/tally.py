"""Tally: how often a detection matched, when, and a sample to look at."""

from __future__ import annotations

import heapq
from zlib import crc32

from schemas.times import HOUR

SAMPLED = 200  # matches of which a sample consists
DISTINCT = 4_000_000  # matches whose uids are remembered, so that a copy counts once


class Tally:
    """Counts of one detection. Times are microseconds, `hours` are numbered from 1970.

    `copies` repeat a match that was counted; once `full`, they are no longer told from new ones.
    `late` matches are counted, and are in no correlation. `ungrouped`: in none for want of a group.
    """

    def __init__(self) -> None:
        self.matches = self.copies = self.late = self.ungrouped = 0
        self.first: int | None = None
        self.last: int | None = None
        self.hours: dict[int, int] = {}
        self.full = False
        self._seen: set[int] = set()
        self._sample: list[tuple[int, str, int, int]] = []  # a heap, what is first to go on top

    def note(self, time: int, uid: str, place: int) -> bool:
        """A match of the event `uid`; `place` is the number of its record. False for a copy."""
        mark = hash(uid)
        if mark in self._seen:
            self.copies += 1
            return False
        if len(self._seen) < DISTINCT:
            self._seen.add(mark)
        else:
            self.full = True
        self.matches += 1
        hour = time // HOUR
        self.hours[hour] = self.hours.get(hour, 0) + 1
        if self.first is None or time < self.first:
            self.first = time
        if self.last is None or time > self.last:
            self.last = time
        # The smallest hashes: a sample by chance that no order of arrival changes.
        lot = crc32(uid.encode())
        if len(self._sample) < SAMPLED:
            heapq.heappush(self._sample, (-lot, uid, place, time))
        elif -lot > self._sample[0][0]:
            heapq.heapreplace(self._sample, (-lot, uid, place, time))
        return True

    def sample(self) -> list[tuple[int, str, int]]:
        """(time, uid, place) of up to SAMPLED matches, by time."""
        return sorted((time, uid, place) for _, uid, place, time in self._sample)
