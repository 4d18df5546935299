"""Life: one stage in one worker, from its first look at the broker to the first error.

Rules that were found by losing records:
1. Records that come out of a fetch during which partitions moved are thrown away, and read again:
   such a fetch may also take what was fetched for the partition's new time here.
2. Before partitions are given up, the step at hand is finished or fails; it is never left behind.
3. A partition that comes back at once goes on with the state that it has: had somebody else had it
   in between, the first transaction is fenced, and a new life begins.
4. While partitions move none is let go on, whenever it is recovered: who assigns them does that.
5. Somebody fetches at any time. aiokafka leaves a group in which nobody does, and tells what went
   wrong there to who fetches next.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor

from schemas.config import KafkaConfig
from schemas.errors import Unavailable
from streams.kafka.alignment import held
from streams.kafka.connection import client, hang_up
from streams.kafka.hosted import Hosted
from streams.kafka.job import Figures, HandOver, Job
from streams.kafka.light import FETCH_BYTES, as_decoded
from streams.kafka.pace import FEW, SESSION, Processor
from streams.kafka.part import Part, Received
from streams.kafka.recovery import Recovery
from streams.kafka.silence import Silence
from streams.kafka.transactions import Transactions
from streams.kafka.untyped import Consumer

_Records = dict[TopicPartition, Sequence[Received]]

POLL_MS: Final = 500  # of a fetch that finds nothing
FINISH: Final = 30.0  # seconds for the step at hand when partitions are given up
_LOOK: Final = 0.2  # seconds after which who waits for others looks again
_NOTHING: Final = TopicPartition("", 0)  # a partition that nobody has


class Life:
    """`hand_over` brings each step to an agent; `processor` is that of the whole worker."""

    def __init__(
        self,
        config: KafkaConfig,
        job: Job,
        hand_over: HandOver,
        figures: Figures,
        processor: Processor,
    ) -> None:
        self._config, self._job, self._hand_over, self._figures = config, job, hand_over, figures
        self._processor = processor
        self.silence = Silence(config)
        self._hosted: dict[str, Hosted] = {}
        self._generation = 0
        self._assigned = False  # the group has given out its partitions once
        self._moving = True  # it is giving them out, or we leave
        self._tasks: set[asyncio.Task[None]] = set()
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._stepped = asyncio.Event()  # set for a moment, for those who wait for others
        self._beginning = asyncio.Lock()
        self._recovery = Recovery(config)
        assignor = RangePartitionAssignor if job.together else RoundRobinPartitionAssignor
        self._consumer: Any = Consumer(
            **client(config),
            group_id=job.group,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            session_timeout_ms=int(SESSION * 1000),
            heartbeat_interval_ms=2_000,
            partition_assignment_strategy=(assignor,),
            fetch_max_wait_ms=100,
            max_partition_fetch_bytes=job.part_bytes,
            fetch_max_bytes=FETCH_BYTES,
            key_deserializer=as_decoded,
        )

    async def run(self) -> None:
        """Until `end`; raises what ends it before."""
        try:
            await self._recovery.start()
            self._consumer.subscribe(list(self._job.topics), listener=self)
            await self._join()
            if not self._over.done():
                self._start(self._attend())
            await self._over
        finally:
            await self._farewell()

    async def _join(self) -> None:
        """Return once the group has given out its partitions, or is not to do so any more."""
        joining = asyncio.create_task(self._consumer.start())
        try:
            await asyncio.wait((joining, self._over), return_when=asyncio.FIRST_COMPLETED)
            if joining.done():
                joining.result()
        finally:
            joining.cancel()
            await asyncio.wait((joining,))

    async def _attend(self) -> None:
        """Fetch of nothing, whether there are parts or not; raises what went wrong meanwhile."""
        fetcher = self._consumer._fetcher.error_future  # noqa: SLF001 - who else knows
        while not fetcher.done():
            await self._consumer.getmany(_NOTHING, timeout_ms=POLL_MS)
            told = [at for one in self._hosted.values() if (at := one.answered) is not None]
            await self.silence.look(told)
        fetcher.result()
        raise Unavailable(f"nothing is fetched any more for group {self._job.group}")

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
        return self._assigned

    @property
    def moving(self) -> bool:
        """True while the group gives them out, the first time or again: nothing is done then."""
        return self._moving

    @property
    def recovering(self) -> tuple[int, int]:
        """How many parts are not ready, and how many records are to be read for them."""
        waiting = sum(not hosted.recovered for hosted in self._hosted.values())
        return waiting, self._recovery.left if waiting else 0

    def lag(self) -> int:
        """Records that lie behind what was read, as far as the last fetches knew."""
        hosted = list(self._hosted.values())  # metrics are asked for by another thread
        return sum(one.behind() for one in hosted if one.ready.is_set())

    # -- the end

    def _fail(self, error: BaseException) -> None:
        if not self._over.done():
            self._over.set_exception(error)

    async def _farewell(self) -> None:
        self.end()
        self._generation += 1
        self._moving = True
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

    async def _finished(self, hosted: Sequence[Hosted]) -> None:
        """No step is at hand any more, or time is up and it will be fenced."""
        for one in hosted:
            one.ready.clear()
        for one in hosted:
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
        self._moving = True
        await self._finished(list(self._hosted.values()))

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Go on with the parts that stayed, begin with the new ones, close the others."""
        self._generation += 1
        self._figures.rebalances += 1
        try:
            names = dict.fromkeys(self._job.part_of(tp) for tp in sorted(assigned))
            stayed = [one for name, one in self._hosted.items() if name in names]
            self._placed(stayed)
            await self._job.checked()
            if self._over.done():
                return  # who leaves begins nothing
            for name in self._hosted.keys() - names.keys():
                gone = self._hosted.pop(name)
                if gone.recovered:  # else who recovers it sees that
                    self._start(self._closed(gone))
            fresh = [self._hosting(name) for name in names if name not in self._hosted]
            self._assigned, self._moving = True, False
            for one in stayed:
                if one.recovered:
                    self._go(one)
            if fresh:
                self._start(self._begin(fresh))
        except Exception as error:  # noqa: BLE001 - aiokafka would log it and go on without us
            self._fail(error)

    def _placed(self, stayed: Iterable[Hosted]) -> None:
        """They wait where they were, before anything is awaited.

        Else aiokafka begins where the group was told that they are: perhaps nowhere, an error.
        """
        for one in stayed:
            one.pause()
            if one.recovered:
                one.seek()

    def _hosting(self, name: str) -> Hosted:
        part = self._job.make(name)
        id_ = self._config.prefix + part.transactional_id
        transactions = Transactions(self._config, id_, self._job.group)
        hosted = Hosted(part, transactions, self._consumer, self._job.batch)
        self._hosted[name] = hosted
        hosted.pause()
        return hosted

    def _has(self, hosted: Hosted) -> bool:
        """False if it was taken away since; one of its name may be here again."""
        return self._hosted.get(hosted.part.name) is hosted

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        async def run() -> None:
            try:
                await work
            except Exception as error:  # noqa: BLE001 - it ends this life, and is shown
                self._fail(error)

        task = asyncio.create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _begin(self, fresh: Sequence[Hosted]) -> None:
        try:
            await self._recover(fresh)
        finally:  # only now: a producer that is stopped while it starts goes on with that
            gone = [one.transactions.stop() for one in fresh if not self._has(one)]
            await asyncio.gather(*gone, return_exceptions=True)

    async def _recover(self, fresh: Sequence[Hosted]) -> None:
        began = time.monotonic()
        async with self._beginning:  # of two of one name the later one fences the other
            here = [one for one in fresh if self._has(one)]
            await asyncio.gather(*(one.transactions.start() for one in here))
        here = [one for one in here if self._has(one)]
        before = self._recovery.records
        lost = await self._recovery.recover([one.part for one in here])
        self._figures.lost += sum(lost.values())
        self._figures.reread += self._recovery.records - before
        self._figures.recovering += time.monotonic() - began
        for one in here:
            if self._has(one):
                one.recovered = True
                one.loop = asyncio.create_task(self._run(one))
                if not self._moving:
                    self._go(one)

    async def _closed(self, hosted: Hosted) -> None:
        if hosted.loop is not None:
            hosted.loop.cancel()
        await hosted.transactions.stop()

    def _go(self, hosted: Hosted) -> None:
        hosted.seek()
        hosted.resume()
        hosted.ready.set()

    # -- steps

    async def _run(self, hosted: Hosted) -> None:
        part = hosted.part
        try:
            while True:
                await hosted.ready.wait()
                if self._held(hosted):
                    await self._others_step(hosted)
                    continue
                generation, began = self._generation, time.monotonic()
                most = hosted.pace.records
                fetched = await self._consumer.getmany(
                    *part.inputs, timeout_ms=POLL_MS, max_records=most
                )
                few = 0 < sum(map(len, fetched.values())) < min(FEW, most)
                if few and generation == self._generation:
                    hosted.pause()
                async with hosted.turn:
                    if not hosted.ready.is_set():
                        continue  # who lets it go on begins behind what was saved
                    if generation != self._generation:
                        hosted.seek()  # it goes on already, and this fetch took its records
                        continue
                    empty = await hosted.empty(fetched)
                    await self._by_agent(hosted, fetched, empty)
                self._stepped.set()
                self._stepped.clear()
                if few:
                    await asyncio.sleep(max(0.0, self._job.pause - (time.monotonic() - began)))
                    if generation == self._generation:  # else who assigned it has done so
                        hosted.resume()
        except Exception as error:  # noqa: BLE001 - it ends this life, and is shown
            self._fail(error)

    def _held(self, hosted: Hosted) -> bool:
        """Whether it is too far ahead of others; see alignment.py."""
        standing = hosted.standing
        if standing is None:
            return False
        others = (one.standing for one in self._hosted.values() if one.ready.is_set())
        return held(standing, (one for one in others if one is not None), self._job.batch)

    async def _others_step(self, hosted: Hosted) -> None:
        """Nothing is fetched for it until the others have come near."""
        generation = self._generation
        hosted.pause()
        while generation == self._generation and self._held(hosted):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    await self._stepped.wait()
        if generation == self._generation:  # else who assigned it has done so
            hosted.resume()

    async def _by_agent(self, hosted: Hosted, fetched: _Records, empty: int | None) -> None:
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

    async def _step(self, hosted: Hosted, fetched: _Records, empty: int | None) -> None:
        figures, count = self._figures, sum(map(len, fetched.values()))
        async with self._processor.turn():
            if not hosted.ready.is_set():
                return  # partitions move, and who lets it go on begins behind what was saved
            began = time.monotonic()
            step = hosted.part.step(fetched, empty)
            computed = time.monotonic()
            hosted.pace.took(count, computed - began)
            figures.computing += computed - began
        fetched.clear()  # nobody needs them while it is saved
        if step is None:
            if not count:
                await hosted.transactions.rest()
            return
        began = time.monotonic()
        await hosted.transactions.save(step)
        figures.saving += time.monotonic() - began
        figures.steps += 1
        figures.records += count
        figures.sent += len(step.records)
        figures.refused += step.refused


# Not by inheritance: its methods are declared as if nothing could be awaited in them.
ConsumerRebalanceListener.register(Life)
