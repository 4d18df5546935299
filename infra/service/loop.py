"""The engine's loop: reads inputs where time is lowest, and hands idle ones a Tick."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue
from threading import Event

from infra.service.inputs import Live, lanes, lateness
from infra.service.silence import Silence
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
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """With `until` the run ends once all inputs have been quiet, and time passed up to it.

        `steady`: seconds by a clock that nobody sets.
        """
        self._engine, self._journal, self._inputs, self._limits = engine, journal, inputs, limits
        self._clock, self._steady, self._until = clock, steady, until
        self._lanes = {name: lanes(live.config) for name, live in inputs.items()}
        every = [lane for some in self._lanes.values() for lane in some.values()]
        self._silence = Silence(every, clock, steady)
        self._tidied = self._read = steady()
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
            if self._steady() - self._tidied >= TIDY:
                self._insist(self._tidy, stop)
            if self.holding:
                stop.wait(PAUSE * 5)
                continue
            self._silence.look()
            found = self._next()
            if found is not None:
                self._take(*found, stop)
            if self._until is None:
                self._idle(stop)
            elif found is None:
                self._end_when_quiet(stop)
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
        self._silence.heard(name, lane, chunk.received)
        if chunk.received is None:  # it has arrived by now: what lies in the future moves no clock
            chunk = chunk._replace(received=self._clock())
        self._insist(partial(self._engine.take, lane, chunk, name), stop)
        self._read = self._steady()

    def _end_when_quiet(self, stop: Event) -> None:
        if any(live.unfinished for live in self._inputs.values()):
            self._read = self._steady()
        elif self._steady() - self._read > QUIET:
            self._insist(partial(self._engine.end, self._until), stop)
            self.ended = not stop.is_set()

    def _next(self) -> tuple[str, Chunk] | None:
        for name in sorted(self._inputs, key=self._place):
            chunk = self._inputs[name].input.read(
                self._limits.batch_records, self._limits.batch_bytes
            )
            if chunk is not None:
                return name, chunk
            if not self._inputs[name].blocked:
                self._silence.empty(name)
        return None

    def _place(self, name: str) -> tuple[int, str]:
        return max(self._engine.place(lane) for lane in self._lanes[name].values())

    def _idle(self, stop: Event) -> None:
        for name, live in self._inputs.items():
            for source, lane in self._lanes[name].items():
                passed = self._silence.passed(name, lane, live.config.idle)
                if passed is not None:
                    watermark = passed - lateness(live.config, source)
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
        self.holding = self._journal.crowded(self._limits.outbox)
        for name, live in self._inputs.items():
            position = self._engine.positions.get(name)
            if position is not None and live.feeder is not None:
                self._journal.sync()
                live.input.trim(position)
        self._tidied = self._steady()


def lag(engine: Embedded, now: int) -> dict[str, float]:
    """Seconds between now and the watermark of each input; an input without a record is absent."""
    return {
        name: (now - progress.watermark) / SECOND
        for name, progress in engine.progress.items()
        if progress.read and progress.watermark < now
    }
