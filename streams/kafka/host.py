"""Host: one stage in one worker, life after life; each begins from what was saved."""

from __future__ import annotations

import asyncio
import math
import time
from typing import Final

from schemas.config import KafkaConfig
from schemas.errors import Mistake
from streams.kafka.job import Figures, HandOver, Job
from streams.kafka.life import Life
from streams.kafka.pace import Processor
from streams.kafka.part import Part
from streams.kafka.problems import sentence

WAIT: Final = (0.5, 30.0)  # seconds between two lives: at first, at most
STEADY: Final = 5.0  # seconds of a life after which what ended the last one is over


class Host:
    """`problem` is why it does not run, in a sentence; `refusal`, why it must not."""

    def __init__(
        self, config: KafkaConfig, job: Job, hand_over: HandOver, processor: Processor
    ) -> None:
        self.job = job
        self.figures = Figures()
        self.life: Life | None = None
        self.refusal: Mistake | None = None
        self._problem: str | None = None
        self._steady = math.inf  # from when on `_problem` is over
        self._config, self._hand_over, self._processor = config, hand_over, processor
        self._stopping = asyncio.Event()
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        """Until `stop`; the time between lives doubles while they are short."""
        try:
            await self._run()
        finally:
            self._stopped.set()

    async def stopped(self) -> None:
        """Return once `run` has ended."""
        await self._stopped.wait()

    async def _run(self) -> None:
        wait, longest = WAIT
        while not self._stopping.is_set():
            began = time.monotonic()
            self.figures.lives += 1
            self._steady = began + STEADY
            try:
                self.life = Life(
                    self._config, self.job, self._hand_over, self.figures, self._processor
                )
                await self.life.run()
            except Mistake as mistake:
                self.refusal = mistake  # no other life will help: a person has to change something
                return
            except Exception as error:  # noqa: BLE001 - the broker, or a defect of one stage: shown, and tried again
                self._steady = math.inf
                self._problem = await self._sentence(error)
            if time.monotonic() - began > longest:
                wait = WAIT[0]
            try:
                await asyncio.wait_for(self._stopping.wait(), wait)
            except TimeoutError:
                wait = min(2 * wait, longest)

    async def _sentence(self, error: Exception) -> str:
        try:
            return await asyncio.to_thread(sentence, error, self._config)
        except Exception:  # noqa: BLE001 - it asks the brokers, and what they do ends no stage
            return f"{type(error).__name__}: {error}".rstrip(": ")

    def stop(self) -> None:
        """Finish the steps at hand and leave the group; `run` returns then."""
        self._stopping.set()
        if self.life is not None:
            self.life.end()

    @property
    def problem(self) -> str | None:
        """Why the stage does nothing at the moment."""
        life = self.life
        if life is None or not life.assigned:
            return self._problem or "waits for its partitions"
        if self._problem is not None and time.monotonic() < self._steady:
            return self._problem
        if life.silence.away is not None:
            return life.silence.away
        if life.moving:
            return "waits for its partitions"
        parts, records = life.recovering
        if parts:
            return f"recovers {parts} partitions, {records} records to read"
        return None

    @property
    def parts(self) -> list[Part]:
        """The partitions that are here."""
        return [] if self.life is None else self.life.parts

    @property
    def lag(self) -> int:
        """Records still to be taken, as far as is known."""
        return 0 if self.life is None else self.life.lag()

    @property
    def ended(self) -> bool:
        """True once time has come to its end in every partition that is here."""
        life = self.life
        return life is not None and not life.moving and all(part.ended for part in life.parts)
