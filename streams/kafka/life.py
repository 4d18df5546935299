"""Life: one stage in one worker, from its first look at the broker to the first error.

Rules that were found by losing records:
1. Records that come out of a fetch during which partitions moved are thrown away, and read again:
   such a fetch may also take what was fetched for the partition's new time here.
2. Before partitions are given up, the step at hand is finished or fails; it is never left behind.
3. A partition that comes back at once goes on with the state that it has: had somebody else had it
   in between, the first transaction is fenced, and a new life begins.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any, Final, NamedTuple

from aiokafka import TopicPartition
from aiokafka.abc import ConsumerRebalanceListener

from schemas.config import KafkaConfig
from streams.kafka.alignment import Standing, held
from streams.kafka.connection import client, hang_up
from streams.kafka.light import FETCH_BYTES, as_decoded
from streams.kafka.part import Fetched, Part, Received
from streams.kafka.recovery import Recovery
from streams.kafka.transactions import Transactions
from streams.kafka.untyped import Consumer

Work = Callable[[], Awaitable[None]]
_Records = dict[TopicPartition, Sequence[Received]]
HandOver = Callable[[Work], Awaitable[None]]  # gives work to an agent; returns when it is accepted

POLL_MS: Final = 500  # of a fetch that finds nothing
# A transaction costs as much as a thousand records. After a small step the next one waits until
# this much time has passed, so that busy stages take more at once; what comes after a pause does
# not wait. Meanwhile nothing is fetched ahead: it would be old by then, and what came since would
# wait for one more step, as would all partitions of that broker.
FEW: Final = 1_000
PACE: Final = 0.2
FINISH: Final = 30.0  # seconds for the step at hand when partitions are given up


class Job(NamedTuple):
    """What a stage is to a worker.

    `topics` and `group` with the prefix. `part_of` names the part that an input partition belongs
    to, `make` makes one. `checked` is asked at each assignment, and raises where this worker must
    not go on. `batch`: records of one step, at most.
    """

    stage: str
    topics: Sequence[str]
    group: str
    part_of: Callable[[TopicPartition], str]
    make: Callable[[str], Part]
    checked: Callable[[], Awaitable[None]]
    batch: int


class Figures:
    """What a stage has counted since the process began: records, steps, seconds."""

    def __init__(self) -> None:
        self.records = self.sent = self.steps = self.rebalances = self.lives = 0
        self.lost = self.reread = 0
        self.computing = self.saving = self.recovering = 0.0


class _Hosted:
    """A part with its producer, and where it is between assignment and farewell."""

    def __init__(self, part: Part, transactions: Transactions) -> None:
        self.part, self.transactions = part, transactions
        self.ready = asyncio.Event()  # it is recovered, and no rebalance is going on
        self.recovered = False
        self.turn = asyncio.Lock()  # held during a step
        self.loop: asyncio.Task[None] | None = None
        self.polled: int | None = None  # when the last fetch that found it empty was answered


class Life:
    """`hand_over` brings each step to an agent."""

    def __init__(
        self, config: KafkaConfig, job: Job, hand_over: HandOver, figures: Figures
    ) -> None:
        self._config, self._job, self._hand_over, self._figures = config, job, hand_over, figures
        self._hosted: dict[str, _Hosted] = {}
        self._generation = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._stepped = asyncio.Event()  # set for a moment, for those who wait for others
        self._recovery = Recovery(config)
        self._consumer: Any = Consumer(
            **client(config),
            group_id=job.group,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            session_timeout_ms=10_000,
            heartbeat_interval_ms=2_000,
            fetch_max_wait_ms=100,
            max_partition_fetch_bytes=4 * 2**20,  # a step of some thousands
            fetch_max_bytes=FETCH_BYTES,
            key_deserializer=as_decoded,
        )

    async def run(self) -> None:
        """Until `end`; raises what ends it before."""
        try:
            await self._recovery.start()
            self._consumer.subscribe(list(self._job.topics), listener=self)
            await self._consumer.start()
            await self._over
        finally:
            await self._farewell()

    def end(self) -> None:
        """Finish the steps at hand and leave the group; `run` returns then."""
        if not self._over.done():
            self._over.set_result(None)

    @property
    def parts(self) -> list[Part]:
        """The parts at hand, recovered or not."""
        return [hosted.part for hosted in list(self._hosted.values())]

    @property
    def assigned(self) -> bool:
        """True once the group has given out its partitions, perhaps none to us."""
        return self._generation > 0

    @property
    def recovering(self) -> tuple[int, int]:
        """How many parts are not ready, and how many records are to be read for them."""
        waiting = sum(not hosted.recovered for hosted in self._hosted.values())
        return waiting, self._recovery.left if waiting else 0

    def lag(self) -> int:
        """Records that lie behind what was read, as far as the last fetches knew."""
        hosted = list(self._hosted.values())  # metrics are asked for by another thread
        return sum(self._behind(one) for one in hosted if one.ready.is_set())

    def _behind(self, hosted: _Hosted) -> int:
        positions = list(hosted.part.positions.items())
        return sum(max(0, (self._end(tp) or 0) - position) for tp, position in positions)

    def _end(self, tp: TopicPartition) -> int | None:
        """Where an input ends as far as the last fetch knew; None where it is not ours any more.

        The group may take a partition at any moment, and metrics are asked for by another thread:
        what aiokafka asserts cannot be asked before.
        """
        try:
            end: int | None = self._consumer.highwater(tp)
        except AssertionError:
            return None
        return end

    # -- the end

    def _fail(self, error: BaseException) -> None:
        if not self._over.done():
            self._over.set_exception(error)

    async def _farewell(self) -> None:
        self._generation += 1
        hosted = list(self._hosted.values())
        await self._finished(hosted)
        tasks = [*self._tasks, *(one.loop for one in hosted if one.loop is not None)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(
            *(one.transactions.stop() for one in hosted),
            hang_up(self._consumer, FINISH),
            self._recovery.stop(),
            return_exceptions=True,
        )

    async def _finished(self, hosted: Iterable[_Hosted]) -> None:
        """No step is at hand any more, or time is up and it will be fenced."""
        for one in hosted:
            one.ready.clear()
            try:
                async with asyncio.timeout(FINISH):
                    await one.turn.acquire()
                one.turn.release()
            except TimeoutError:
                self._fail(TimeoutError(f"{one.part.name} does not finish its step"))

    # -- rebalances

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:  # noqa: ARG002 - all of them
        """Finish what is at hand; whether the parts come back is known at the assignment."""
        self._generation += 1
        await self._finished(list(self._hosted.values()))

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Go on with the parts that stayed, begin with the new ones, close the others."""
        self._generation += 1
        self._figures.rebalances += 1
        try:
            await self._job.checked()
            names = dict.fromkeys(self._job.part_of(tp) for tp in sorted(assigned))
            for name in self._hosted.keys() - names.keys():
                self._start(self._closed(self._hosted.pop(name)))
            for one in self._hosted.values():
                self._pause(one)
                if one.recovered:
                    self._go(one)
            fresh = [self._hosting(name) for name in names if name not in self._hosted]
            if fresh:
                self._start(self._begin(fresh))
        except Exception as error:  # noqa: BLE001 - aiokafka would log it and go on without us
            self._fail(error)

    def _hosting(self, name: str) -> _Hosted:
        part = self._job.make(name)
        id_ = self._config.prefix + part.transactional_id
        hosted = _Hosted(part, Transactions(self._config, id_, self._job.group))
        self._hosted[name] = hosted
        self._pause(hosted)
        return hosted

    def _pause(self, hosted: _Hosted) -> None:
        for tp in hosted.part.inputs:
            self._consumer.pause(tp)

    def _resume(self, hosted: _Hosted) -> None:
        for tp in hosted.part.inputs:
            self._consumer.resume(tp)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        async def run() -> None:
            try:
                await work
            except Exception as error:  # noqa: BLE001 - it ends this life, and is shown
                self._fail(error)

        task = asyncio.create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _begin(self, fresh: Sequence[_Hosted]) -> None:
        began = time.monotonic()
        await asyncio.gather(*(one.transactions.start() for one in fresh))
        before = self._recovery.records
        lost = await self._recovery.recover([one.part for one in fresh])
        self._figures.lost += sum(lost.values())
        self._figures.reread += self._recovery.records - before
        self._figures.recovering += time.monotonic() - began
        for one in fresh:
            one.recovered = True
            if self._hosted.get(one.part.name) is not one:
                await self._closed(one)
                continue
            one.loop = asyncio.create_task(self._run(one))
            if self._consumer.assignment().issuperset(one.part.inputs):
                self._go(one)

    async def _closed(self, hosted: _Hosted) -> None:
        if hosted.loop is not None:
            hosted.loop.cancel()
        await hosted.transactions.stop()

    def _go(self, hosted: _Hosted) -> None:
        self._seek(hosted)
        self._resume(hosted)
        hosted.ready.set()

    def _seek(self, hosted: _Hosted) -> None:
        for tp in hosted.part.inputs:
            self._consumer.seek(tp, hosted.part.positions[tp])

    # -- steps

    async def _run(self, hosted: _Hosted) -> None:
        part = hosted.part
        try:
            while True:
                await hosted.ready.wait()
                if self._held(hosted):
                    await self._others_step(hosted)
                    continue
                generation, began = self._generation, time.monotonic()
                fetched = await self._consumer.getmany(
                    *part.inputs, timeout_ms=POLL_MS, max_records=self._job.batch
                )
                few = 0 < sum(map(len, fetched.values())) < FEW
                if few and generation == self._generation:
                    self._pause(hosted)
                async with hosted.turn:
                    if not hosted.ready.is_set():
                        continue  # who lets it go on begins behind what was saved
                    if generation != self._generation:
                        self._seek(hosted)  # it goes on already, and this fetch took its records
                        continue
                    empty = await self._empty(hosted, fetched)
                    await self._by_agent(hosted, fetched, empty)
                self._stepped.set()
                self._stepped.clear()
                if few:
                    await asyncio.sleep(max(0.0, PACE - (time.monotonic() - began)))
                    if generation == self._generation:  # else who assigned it has done so
                        self._resume(hosted)
        except Exception as error:  # noqa: BLE001 - it ends this life, and is shown
            self._fail(error)

    def _held(self, hosted: _Hosted) -> bool:
        """Whether it is too far ahead of others; see alignment.py."""
        standing = self._standing(hosted)
        if standing is None:
            return False
        others = (self._standing(one) for one in self._hosted.values() if one.ready.is_set())
        return held(standing, (one for one in others if one is not None), self._job.batch)

    def _standing(self, hosted: _Hosted) -> Standing | None:
        reached = hosted.part.reached
        return None if reached is None else Standing(reached, self._behind(hosted))

    async def _others_step(self, hosted: _Hosted) -> None:
        """Nothing is fetched for it until the others have come near."""
        generation = self._generation
        self._pause(hosted)
        while generation == self._generation and self._held(hosted):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PACE):
                    await self._stepped.wait()
        if generation == self._generation:  # else who assigned it has done so
            self._resume(hosted)

    async def _empty(self, hosted: _Hosted, fetched: Fetched) -> int | None:
        """The wall clock, in microseconds, at which the inputs surely held no more than was read.

        An answer may be old when we get to read it: we, or the broker, may have been paused. But it
        was asked for after the one before it had been read, and so it is true of that moment.
        """
        consumer, before = self._consumer, hosted.polled
        hosted.polled = None
        if fetched:
            return None
        answered: list[int] = []
        for tp in hosted.part.inputs:
            end = self._end(tp)
            at = None if end is None else consumer.last_poll_timestamp(tp)
            if end is None or at is None or await consumer.position(tp) < end:
                return None
            answered.append(at)
        hosted.polled = min(answered)
        if before is None or before == hosted.polled:
            return None
        return before * 1000

    async def _by_agent(self, hosted: _Hosted, fetched: _Records, empty: int | None) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def work() -> None:
            try:
                await self._step(hosted, fetched, empty)
            except Exception as error:  # noqa: BLE001 - handed back: an agent would pass over it
                if not done.done():
                    done.set_exception(error)
            except asyncio.CancelledError:  # the application stops, and nobody waits for it
                done.cancel()
                raise
            else:
                if not done.done():
                    done.set_result(None)

        await self._hand_over(work)
        await done

    async def _step(self, hosted: _Hosted, fetched: _Records, empty: int | None) -> None:
        figures, count = self._figures, sum(map(len, fetched.values()))
        began = time.monotonic()
        step = hosted.part.step(fetched, empty)
        computed = time.monotonic()
        figures.computing += computed - began
        fetched.clear()  # nobody needs them while it is saved
        if step is None:
            if not count:
                await hosted.transactions.rest()
            return
        await hosted.transactions.save(step)
        figures.saving += time.monotonic() - computed
        figures.steps += 1
        figures.records += count
        figures.sent += len(step.records)


# Not by inheritance: its methods are declared as if nothing could be awaited in them.
ConsumerRebalanceListener.register(Life)
