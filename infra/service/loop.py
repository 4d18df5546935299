"""The engine's loop: reads inputs where time is lowest, and hands idle ones a Tick."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue
from threading import Event

from infra.service.inputs import Live, lanes, lateness
from schemas.config import Limits
from schemas.errors import Unavailable
from schemas.times import SECOND
from streams.assembly import Assembly
from streams.embedded import Embedded
from streams.input import Chunk
from streams.journal import Journal
from streams.succession import Succession

PAUSE = 0.02  # seconds between two looks at inputs that have nothing
TIDY = 1.0  # seconds between two clean-ups of the outbox
LONGEST = 30.0  # seconds between two attempts at a journal that refuses
QUIET = 3.0  # seconds without a record after which a run with an end is complete


class Loop:
    """One thread; it holds back while sinks have too much to take.

    `clock` is the only wall clock of the driver (microseconds): it becomes Ticks of idle inputs.
    """

    def __init__(
        self,
        engine: Embedded,
        journal: Journal,
        inputs: Mapping[str, Live],
        limits: Limits,
        clock: Callable[[], int],
        until: int | None = None,
    ) -> None:
        """With `until` the run ends once all inputs have been quiet, and time passed up to it."""
        self._engine, self._journal, self._inputs, self._limits = engine, journal, inputs, limits
        self._clock, self._until = clock, until
        self._lanes = {name: lanes(live.config) for name, live in inputs.items()}
        self._active = {lane: clock() for some in self._lanes.values() for lane in some.values()}
        self._tidied = self._read = time.monotonic()
        self._asked = SimpleQueue[tuple[Assembly, Future[Succession | None]]]()
        self._over = False
        self.problem: str | None = None
        self.holding = False
        self.ended = False

    def run(self, stop: Event) -> None:
        """Until `stop` is set or the run has come to its end; the batch at hand is saved."""
        try:
            self._run(stop)
        finally:
            self._over = True
            self._refuse()

    def adopt(self, assembly: Assembly) -> Future[Succession | None]:
        """Have the engine change its rules between two batches; may be asked from any thread."""
        future = Future[Succession | None]()
        self._asked.put((assembly, future))
        if self._over:
            self._refuse()
        return future

    def _run(self, stop: Event) -> None:
        while not stop.is_set() and not self.ended:
            self._change()
            if time.monotonic() - self._tidied >= TIDY:
                self._insist(self._tidy, stop)
            if self.holding:
                stop.wait(PAUSE * 5)
                continue
            found = self._next()
            if found is not None:
                self._take(*found, stop)
            elif self._until is not None:
                self._end_when_quiet(stop)
            else:
                self._idle(stop)
            if found is None:
                stop.wait(PAUSE)

    def _change(self) -> None:
        while not self._asked.empty():
            assembly, future = self._asked.get()
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(self._engine.adopt(assembly))
                except Exception as error:  # noqa: BLE001 - whoever asked is told; the old rules run
                    future.set_exception(error)

    def _refuse(self) -> None:
        while not self._asked.empty():
            _, future = self._asked.get()
            if future.set_running_or_notify_cancel():
                future.set_exception(Unavailable("the engine has stopped; start it again"))

    def _take(self, name: str, chunk: Chunk, stop: Event) -> None:
        some = self._lanes[name]
        # What no source knows has no time: any lane can say that it was refused.
        lane = some.get(chunk.source) or min(some.values())
        self._insist(partial(self._engine.take, lane, chunk, name), stop)
        self._active[lane], self._read = self._clock(), time.monotonic()

    def _end_when_quiet(self, stop: Event) -> None:
        if time.monotonic() - self._read > QUIET:
            self._insist(partial(self._engine.end, self._until), stop)
            self.ended = not stop.is_set()

    def _next(self) -> tuple[str, Chunk] | None:
        for name in sorted(self._inputs, key=self._place):
            chunk = self._inputs[name].input.read(
                self._limits.batch_records, self._limits.batch_bytes
            )
            if chunk is not None:
                return name, chunk
        return None

    def _place(self, name: str) -> tuple[int, str]:
        return max(self._engine.place(lane) for lane in self._lanes[name].values())

    def _idle(self, stop: Event) -> None:
        now = self._clock()
        for name, live in self._inputs.items():
            for source, lane in self._lanes[name].items():
                if now - self._active[lane] > live.config.idle:
                    self._active[lane] = now
                    watermark = now - lateness(live.config, source)
                    if watermark > self._engine.progress[lane].watermark:
                        self._insist(partial(self._engine.tick, lane, watermark), stop)

    def _insist(self, save: Callable[[], object], stop: Event) -> None:
        """Save, however often the disk refuses: what was read is not lost."""
        wait = 0.5
        while True:
            try:
                save()
            except Unavailable as error:
                self.problem = str(error)
                if stop.wait(wait):
                    return
                wait = min(2 * wait, LONGEST)
            else:
                self.problem = None
                return

    def _tidy(self) -> None:
        self._journal.trim()
        self.holding = self._journal.outbox_size() > self._limits.outbox
        for name, live in self._inputs.items():
            position = self._engine.positions.get(name)
            if position is not None and live.feeder is not None:
                self._journal.sync()
                live.input.trim(position)
        self._tidied = time.monotonic()


def lag(engine: Embedded, now: int) -> dict[str, float]:
    """Seconds between now and the watermark of each input; an input without a record is absent."""
    return {
        name: (now - progress.watermark) / SECOND
        for name, progress in engine.progress.items()
        if progress.read and progress.watermark < now
    }
