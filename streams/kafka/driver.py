"""Driver: a worker: one Faust application that hosts a service and an agent for each stage.

The service reads whole batches of a partition and hands each to the agent, which runs the step and
its transaction. What Faust itself would do for us it does at another price: events one by one cost
twenty times as much, its tables lose updates in rebalances, and its exactly-once sends outside of
any transaction. So it keeps the life of services, agents and their supervision.
"""

# Faust's generics are partly unknown to it.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Final

import faust
from faust.app import BootStrategy
from faust.channels import Channel
from mode import Service
from mode.utils.queues import FlowControlEvent, ThrowableQueue

from schemas.config import KafkaConfig
from streams.kafka.host import Host
from streams.kafka.job import Job
from streams.kafka.light import keep_memory
from streams.kafka.pace import Processor

AGENTS: Final = 16  # steps of one stage that are under way at the same time
DRAIN: Final = 60.0  # seconds for all steps at hand at a stop


class HandOver(Channel[Any]):
    """A channel of work whose queue is ours.

    The usual one belongs to the application's flow control: it is emptied at each rebalance of the
    application, and what is sent before it is skipped without a word.
    """

    def __init__(self, app: Any, **options: Any) -> None:  # noqa: ANN401 - Faust's own
        super().__init__(app, **options)
        flow = FlowControlEvent()
        flow.resume()
        self._queue = ThrowableQueue(maxsize=AGENTS, flow_control=flow)

    def clone(self, **_: Any) -> HandOver:  # noqa: ANN401 - Faust's own
        """All actors of the agent take from the one queue."""
        return self

    def __aiter__(self) -> HandOver:
        return self

    async def __anext__(self) -> Any:  # noqa: ANN401 - Work, where Faust expects its Events
        return await self.queue.get()

    async def put(self, value: Any) -> None:  # noqa: ANN401 - Faust's own
        """Hand work over; waits while all agents are busy."""
        await self.queue.put(value)


class StageService(Service):
    """The life of one stage inside the application."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self.host = host

    @Service.task
    async def _run(self) -> None:
        await self.host.run()


class _Boot(BootStrategy):
    """Starts agents, and nothing of Kafka.

    The application's own consumer would be one more group to rebalance, whose dead members hold up
    a start for a minute, and nothing would come of it.
    """

    enable_kafka = False
    enable_web = False


class _Application(faust.App):
    """An application of agents and services."""

    BootStrategy = _Boot

    def _create_directories(self) -> None:
        """None: it keeps nothing, and the folder in which it runs may be read-only."""


class Driver:
    """A worker. `hosts` are its stages in the order in which rows flow."""

    def __init__(self, config: KafkaConfig, jobs: Iterable[Job]) -> None:
        self._app = _Application(f"{config.prefix}worker", broker="aiokafka://", store="memory://")
        self.hosts: list[Host] = []
        self._services: list[StageService] = []
        processor = Processor()
        for job in jobs:
            channel = HandOver(self._app)
            self._agent(job.stage, channel)
            host = Host(config, job, channel.put, processor)
            self.hosts.append(host)
            self._services.append(StageService(host))

    async def start(self) -> None:
        """Start the application, then the stages."""
        keep_memory()
        await self._app.start()
        for service in self._services:
            await self._app.add_runtime_dependency(service)

    async def stop(self) -> None:
        """Finish what is at hand and leave; bounded."""
        for host in self.hosts:
            host.stop()
        await asyncio.wait(
            [asyncio.create_task(host.stopped()) for host in self.hosts], timeout=DRAIN
        )
        await self._app.stop()

    def _agent(self, stage: str, channel: HandOver) -> None:
        async def steps(batches: Any) -> None:  # noqa: ANN401 - a stream of Work
            async for work in batches:
                await work()

        self._app.agent(channel, name=f"barograph.{stage}", concurrency=AGENTS)(steps)
