"""Serve: everything of an embedded run joined together, from start to a clean stop."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
import time
from pathlib import Path
from threading import Event, Thread

from correlators.ruleset import Ruleset
from infra.service.health import Health
from infra.service.inputs import Live, declared, opened
from infra.service.loop import Loop
from schemas.config import Config, SinkConfig
from schemas.errors import Mistake
from schemas.times import END
from sinks.delivery.courier import Courier
from sinks.delivery.letters import DeadLetters
from sinks.delivery.sink import connect
from streams.embedded import Embedded
from streams.inputs.http import Http
from streams.inputs.stdin import Stdin
from streams.journal import Journal

DRAIN = 20.0  # seconds that sinks have to take the rest at a stop


def clock() -> int:
    """Microseconds since 1970: the one place where the embedded driver reads the wall clock."""
    return time.time_ns() // 1000


async def serve(config: Config, ruleset: Ruleset, until: int | None = None) -> None:
    """Run until SIGTERM or SIGINT, or with `until` to the end of the inputs. Raises Mistake and Unavailable."""
    data = Path(config.data)
    with Journal(data / "journal.sqlite", clock) as journal:
        engine = Embedded(ruleset, declared(config), config.limits, journal, config.system)
        if until is None and any(
            progress.watermark == END for progress in engine.progress.values()
        ):
            raise Mistake(
                f"{data} holds a run that has ended; give another `data` folder to begin anew"
            )
        inputs = opened(config, data, engine.positions)
        couriers = _couriers(config, data, journal)
        loop = Loop(engine, journal, inputs, config.limits, clock, until)
        stop, stop_sinks, failed = asyncio.Event(), Event(), list[BaseException]()
        halt = Event()
        here = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            here.add_signal_handler(number, stop.set)

        def engine_thread() -> None:
            try:
                loop.run(halt)
            except BaseException as error:  # noqa: BLE001 - carried over to the main thread, which raises it
                failed.append(error)
            finally:
                here.call_soon_threadsafe(stop.set)

        worker = Thread(target=engine_thread, name="engine")
        carriers = [
            Thread(target=c.run, args=(stop_sinks,), name=f"sink-{c.name}") for c in couriers
        ]
        health = Health(engine, journal, loop, inputs, couriers, worker.is_alive, clock)
        runner, port = await health.start(config.server)
        try:
            for thread in (worker, *carriers):
                thread.start()
            await _feed(inputs)
            print(
                f"barograph: ready, http://{config.server.host}:{port}/readyz",
                file=sys.stderr,
                flush=True,
            )
            await stop.wait()
        finally:
            for live in inputs.values():
                if isinstance(live.feeder, Http):
                    await live.feeder.stop()
                elif isinstance(live.feeder, Stdin):
                    live.feeder.stop()
            halt.set()
            if worker.ident is not None:
                await asyncio.to_thread(worker.join)
                await asyncio.to_thread(_drain, journal, couriers)
            stop_sinks.set()
            for thread in carriers:
                if thread.ident is not None:
                    await asyncio.to_thread(thread.join)
            await runner.cleanup()
        if failed:
            raise failed[0]


async def _feed(inputs: dict[str, Live]) -> None:
    for name, live in inputs.items():
        if isinstance(live.feeder, Http):
            port = await live.feeder.start()
            host = live.config.host
            print(
                f"barograph: input {name} on http://{host}:{port}/v1/{{traces,logs,events}}",
                file=sys.stderr,
                flush=True,
            )
        elif isinstance(live.feeder, Stdin):
            live.feeder.start()


def _couriers(config: Config, data: Path, journal: Journal) -> list[Courier]:
    """One for each sink of the configuration, and the store that the commands read."""
    configured = list(config.sink)
    if not any(sink.kind == "store" for sink in configured):
        configured.append(SinkConfig(name="store", kind="store"))
    if len({sink.name for sink in configured}) < len(configured):
        raise Mistake("two sinks of the configuration have the same name; rename one")
    connected = {sink.name: connect(sink, data) for sink in configured}
    journal.subscribe({name: sink.kinds for name, sink in connected.items()})
    letters = DeadLetters(data / "dead-letters.jsonl", clock)
    return [
        Courier(name, sink, journal, letters, jitter=random.random, limit=config.limits.outbox)
        for name, sink in connected.items()
    ]


def _drain(journal: Journal, couriers: list[Courier]) -> None:
    """Give the sinks that take something the time to take the rest."""
    deadline = time.monotonic() + DRAIN
    while time.monotonic() < deadline:
        if all(c.status.problem or not journal.backlog(c.name) for c in couriers):
            return
        time.sleep(0.05)
