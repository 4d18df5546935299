"""Courier: carries results from the outbox to one sink; a dead receiver delays only itself.

Guarantee: every result of the sink's kinds is taken by the sink or lies in the dead letters, in
order of emission, at least once; with a sink that upserts by id, effectively once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from threading import Event
from typing import Any, NamedTuple, Protocol

from schemas.rows import Result
from sinks.delivery.letters import DeadLetters
from sinks.delivery.sink import Delivered, Refused, Sink

BATCH = 5_000
BATCH_BYTES = 8 * 2**20
IDLE = 0.2  # seconds between two looks at an empty outbox
LOOK = 2.0  # seconds between two looks while a receiver is away: who does not look loses its place
FIRST_WAIT = 0.5
LONGEST_WAIT = 300.0
LONGEST_ASKED = 3600.0  # a receiver may ask for a longer pause than we would take, but not for ever


class Outbox(Protocol):
    """Where results wait: the journal, or topics."""

    @property
    def problem(self) -> str | None:
        """Why nothing comes out of it, or is saved, in a sentence; None while all is well."""
        ...

    def outbox(
        self, after: int, limit: int, kinds: Collection[str] | None = None, limit_bytes: int = ...
    ) -> list[tuple[int, Result]]:
        """Results behind a sequence, in order."""
        ...

    def newest(self) -> int:
        """The newest sequence. Asked every few seconds, also while the sink takes nothing."""
        ...

    def cursor(self, sink: str) -> int:
        """What the sink has taken."""
        ...

    def bookmark(self, sink: str) -> Any:  # noqa: ANN401 - JSON
        """What the sink gave last."""
        ...

    def backlog(self, sink: str) -> int:
        """How many results wait for the sink; 0 is exact."""
        ...

    def waiting(self, sink: str) -> int:
        """The same as far as it is known at once."""
        ...

    def advance(self, sink: str, sequence: int, bookmark: Any = None) -> None:  # noqa: ANN401 - JSON
        """The sink has taken everything up to `sequence`."""
        ...


class Status(NamedTuple):
    """A courier's state for /readyz and /metrics. `problem` is None while all is well."""

    delivered: int
    refused: int
    failures: int
    problem: str | None
    misconfigured: bool


class Courier:
    """One sink's loop.

    `jitter` gives numbers in [0, 1); `limit`: how many results may wait for a receiver that is
    away, None where they wait at no cost.
    """

    def __init__(
        self,
        name: str,
        sink: Sink,
        outbox: Outbox,
        letters: DeadLetters,
        *,
        jitter: Callable[[], float],
        limit: int | None = 100_000,
    ) -> None:
        self.name = name
        self._sink = sink
        self._outbox = outbox
        self._letters = letters
        self._jitter = jitter
        self._limit = limit
        self._cursor = outbox.cursor(name)
        self._bookmark = outbox.bookmark(name)
        self._opened = False
        self._away: str | None = None  # what the receiver said when it last took nothing
        self._status = Status(0, 0, 0, None, misconfigured=False)

    @property
    def status(self) -> Status:
        """As it is now; a problem of the outbox is shown where the sink has none."""
        return self._status._replace(problem=self._status.problem or self._outbox.problem)

    @property
    def backlog(self) -> int:
        """How many results wait for the sink; 0 is exact."""
        return self._outbox.backlog(self.name)

    @property
    def waiting(self) -> int:
        """The same as far as it is known at once."""
        return self._outbox.waiting(self.name)

    def step(self) -> float:
        """Deliver one batch; returns the seconds to wait, 0 if there may be more."""
        try:
            return self._step()
        except Exception as error:  # noqa: BLE001 - a defect of one sink must not stop the others; it is shown and retried
            return self._failed(Delivered(0, problem=f"{type(error).__name__}: {error}"))

    def run(self, stop: Event) -> None:
        """Deliver until `stop` is set; then the batch at hand is the last one."""
        while not stop.is_set():
            self._rest(stop, self.step())
        try:
            self._sink.close()
        except Exception as error:  # noqa: BLE001 - as in `step`
            self._failed(Delivered(0, problem=str(error)))

    def _rest(self, stop: Event, seconds: float) -> None:
        """Wait, or until `stop`."""
        while seconds > LOOK and not stop.wait(LOOK):
            seconds -= LOOK
            try:
                self._outbox.newest()
                self._make_room()
            except Exception:  # noqa: BLE001 - the next step meets it too, and says so
                return
        stop.wait(seconds)

    def _step(self) -> float:
        if not self._opened:
            self._sink.open(self._bookmark)
            self._opened = True
        end = self._outbox.newest()  # before the look: what comes in between is seen next time
        batch = self._outbox.outbox(self._cursor, BATCH, self._sink.kinds, BATCH_BYTES)
        if not batch:
            published = self._sink.flush()
            if end > self._cursor:
                self._advance(end)
            if published is None:
                return IDLE
            if published.problem is not None:
                return self._failed(published)
            self._status = self._status._replace(failures=0, problem=None, misconfigured=False)
            return IDLE
        delivered = self._sink.write([result for _, result in batch])
        self._settle(batch, delivered)
        nothing = delivered.problem is not None and delivered.taken == 0
        self._away = delivered.problem if nothing and not self._sink.local else None
        if delivered.problem is None:
            self._status = self._status._replace(failures=0, problem=None, misconfigured=False)
            return delivered.wait if delivered.taken < len(batch) else 0.0
        wait = self._failed(delivered)
        self._make_room()
        return wait

    def _settle(self, batch: Sequence[tuple[int, Result]], delivered: Delivered) -> None:
        if delivered.taken == 0:
            return
        self._letters.add(self.name, delivered.refused)
        self._bookmark = delivered.bookmark
        self._advance(batch[delivered.taken - 1][0])
        self._status = self._status._replace(
            delivered=self._status.delivered + delivered.taken - len(delivered.refused),
            refused=self._status.refused + len(delivered.refused),
        )

    def _advance(self, sequence: int) -> None:
        self._outbox.advance(self.name, sequence, self._bookmark)
        self._cursor = sequence

    def _failed(self, delivered: Delivered) -> float:
        """Exponential backoff with full jitter, never shorter than what the receiver asked for."""
        failures = 1 if delivered.taken else self._status.failures + 1
        self._status = self._status._replace(
            failures=failures, problem=delivered.problem, misconfigured=delivered.misconfigured
        )
        if delivered.misconfigured:
            return LONGEST_WAIT
        ceiling = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(failures, 20))
        return float(max(self._jitter() * ceiling, min(delivered.wait, LONGEST_ASKED)))

    def _make_room(self) -> None:
        """Who has been away for too long keeps nobody from reading.

        The oldest batches go to the dead letters, and are counted.
        """
        limit, away = self._limit, self._away
        while limit is not None and away and self._outbox.backlog(self.name) > limit:
            batch = self._outbox.outbox(self._cursor, BATCH, self._sink.kinds, BATCH_BYTES)
            reason = f"more than {limit} results waited: {away}"
            evicted = tuple(Refused(result, reason) for _, result in batch)
            self._settle(batch, Delivered(len(batch), evicted, bookmark=self._bookmark))
