"""Past: alerts that were over long before this store first heard of them, as in old logs.

People are not told of them, but once how many there were.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from schemas.canonical import digest
from schemas.rows import Result
from schemas.times import instant
from sinks.delivery.digest import Issue
from sinks.delivery.memory import Memory

QUIET: Final = 60.0  # seconds without one more, until it is said how many there were
NOTE: Final = (
    "Nobody was told of them: they had expired long before they were first seen here, as when old"
    ' logs are read. barograph query "SELECT title, last_time, id FROM alerts WHERE status <>'
    " 'open'\" lists what is over; `past` of this sink says how long ago is long."
)
_PAST: Final = "past:"


class Past:
    """What one sink passed over.

    `most`, in microseconds: how long before it was first seen an alert may have expired and still
    be told. Each alert is counted once, across restarts.
    """

    def __init__(self, memory: Memory, most: int) -> None:
        self._memory, self._most = memory, most
        self._fresh: set[str] = set()  # counted, and not yet said
        self._last = 0.0  # when the newest of them came

    def open(self, now: float) -> None:
        """Find those of which nobody has been told yet how many they are."""
        known = self._memory.beginning(_PAST)
        self._fresh = {key for key, said in known.items() if not said}
        self._last = now

    def takes(self, result: Result) -> bool:
        """True if it had expired for long when this store said it.

        By the time of its events and the clock of the store, not by when a receiver could be
        reached: what waited for one is told.
        """
        emitted = instant(result.body["meta"]["emitted"])
        return (
            result.state != "withdrawn"
            and instant(result.body["expires_at"]) + self._most <= emitted
        )

    def keep(self, ids: Iterable[str], now: float) -> None:
        """Count these, on disk before it returns; those that were counted before no more."""
        keys = [f"{_PAST}{id_}" for id_ in ids]
        fresh = set(keys) - self._memory.known(keys)
        if fresh:
            self._memory.put(dict.fromkeys(sorted(fresh), False))
            self._fresh |= fresh
            self._last = now

    def drop(self, id_: str) -> None:
        """It was told after all, or it never held: it does not count."""
        key = f"{_PAST}{id_}"
        if key in self._fresh:
            self._memory.forget([key])
            self._fresh.discard(key)

    def due(self, now: float) -> Issue | None:
        """How many there were, once no more have come for a while; the same until `done`."""
        if not self._fresh or 0 <= now - self._last < QUIET:  # below 0 the clock was set back
            return None
        return Issue(digest("past", sorted(self._fresh)), (), 0, (), 0, len(self._fresh), NOTE)

    def done(self) -> None:
        """It was said."""
        self._memory.put(dict.fromkeys(sorted(self._fresh), True))
        self._fresh = set()
