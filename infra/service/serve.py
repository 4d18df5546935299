"""Serve: everything of an embedded run joined together, from start to a clean stop."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

from correlators.ruleset import Ruleset
from infra.api.api import Api
from infra.api.guard import FOR_US
from infra.compliance.assessor import Assessor
from infra.posture.posture import Posture
from infra.reading.snapshots import Snapshots, assessing, published
from infra.rules import Seen
from infra.service.health import Health, scheme
from infra.service.inputs import Live, declared, opened
from infra.service.loop import Loop
from infra.service.process import clock, on_hangup, say, stop_on_signals
from infra.service.reload import Reload, Running, running, sentence
from infra.service.threads import Carriers, Threads
from infra.service.vitals import EmbeddedVitals
from schemas.config import AnySink, Config
from schemas.errors import Mistake, Unavailable
from schemas.times import END
from sinks.delivery.courier import Courier
from sinks.delivery.kinds import connect
from sinks.delivery.letters import FILE, DeadLetters
from sinks.delivery.sink import Sink
from streams.assembly import Assembly
from streams.embedded import Embedded
from streams.inputs.http import Http
from streams.inputs.stdin import Stdin
from streams.journal import Journal
from streams.succession import Succession

PATIENCE = 60.0  # seconds until the engine must have come to the end of its batch


async def serve(
    config: Config,
    ruleset: Ruleset,
    files: Seen,
    settings: Callable[[], Config],
    until: int | None = None,
) -> None:
    """Run until SIGTERM or SIGINT, or with `until` to the end of the inputs.

    `files` are the rule files, seen before `ruleset` was read from them. `settings` reads the
    configuration anew, when the rules are to be. Raises Mistake and Unavailable, and
    KeyboardInterrupt after a clean stop by SIGINT.
    """
    data, known, hung_up = Path(config.data), declared(config), asyncio.Event()
    on_hangup(hung_up.set)
    with Journal(data / "journal.sqlite", clock) as journal:
        before = next(iter(journal.successions(1)), None)
        engine = Embedded(ruleset, known, config.limits, journal, config.system)
        _going_on(engine, data, until)
        inputs = opened(config, data, engine.positions)
        connected = _connected(config, data)
        assessing(connected.values(), Assessor(lambda: engine.known.ids, config))
        couriers = _couriers(connected, config, data, journal)
        snapshots = Snapshots(published(connected.values()))
        posture = Posture(snapshots, config.inventory.approved, config.sla)
        api = Api(snapshots, config.server, config.inventory.approved, clock)
        loop = Loop(engine, journal, inputs, config.limits, clock, until)
        stop, signals = asyncio.Event(), set[int]()
        stop_on_signals(stop, signals)
        threads = Threads(loop, Carriers(couriers), _from_thread(stop))
        reload = _reload(config, files, settings, engine, loop)
        vitals = EmbeddedVitals(engine, journal, loop, inputs, threads, reload, clock)
        runner, port = await Health(vitals, couriers, posture, api, reload.now).start(config.server)
        threads.start()
        reloading = _reloading(reload, hung_up, watch=config.rules.watch)
        try:
            await _feed(inputs)
            now = engine.succession
            if before is not None and now is not None and now != before:
                say(sentence(now))
            if not api.open:
                say(FOR_US)
            say(f"ready, {scheme(config.server)}://{config.server.host}:{port}/readyz")
            await stop.wait()
        finally:
            for task in reloading:
                task.cancel()
            await _stop_feeding(inputs)
            try:
                await asyncio.to_thread(threads.stop)
            finally:
                await runner.cleanup()
                snapshots.close()
    if signal.SIGINT in signals:
        raise KeyboardInterrupt  # everything is saved; the exit code says who ended it


def _going_on(engine: Embedded, data: Path, until: int | None) -> None:
    ended = any(progress.watermark == END for progress in engine.progress.values())
    if ended and until is None:
        raise Mistake(
            f"{data} holds a run that has ended; give another `data` folder to begin anew"
        )


def _reload(
    config: Config, files: Seen, settings: Callable[[], Config], engine: Embedded, loop: Loop
) -> Reload:
    async def adopt(ruleset: Ruleset) -> Succession | None:
        assembly = await asyncio.to_thread(_prepared, engine, ruleset)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(loop.adopt(assembly)), PATIENCE)
        except TimeoutError:
            raise Unavailable(
                f"the engine did not come to the end of its batch in {PATIENCE:.0f} s"
                f" ({loop.problem or 'it is at work'}); try again"
            ) from None

    def now() -> Running:
        if engine.succession is None:
            raise AssertionError("a run with a journal knows since when its rules hold")
        return running(engine.succession)

    return Reload(settings, config, files, adopt, now, say)


def _prepared(engine: Embedded, ruleset: Ruleset) -> Assembly:
    assembly = engine.assembled(ruleset)
    assembly.prepare()
    return assembly


def _reloading(reload: Reload, hung_up: asyncio.Event, *, watch: bool) -> list[asyncio.Task[None]]:
    """What waits for SIGHUP (several at once are one), and for files to change."""

    async def told() -> None:
        while True:
            await hung_up.wait()
            hung_up.clear()
            await reload.now()

    waiting = [told(), reload.watch()] if watch else [told()]
    return [asyncio.create_task(one) for one in waiting]


def _from_thread(stop: asyncio.Event) -> Callable[[], object]:
    here = asyncio.get_running_loop()
    return lambda: here.call_soon_threadsafe(stop.set)


async def _feed(inputs: Mapping[str, Live]) -> None:
    for name, live in inputs.items():
        if isinstance(live.feeder, Http):
            port = await live.feeder.start()
            say(f"input {name} on http://{live.config.host}:{port}/v1/{{traces,logs,events}}")
        elif isinstance(live.feeder, Stdin):
            live.feeder.start()


async def _stop_feeding(inputs: Mapping[str, Live]) -> None:
    for live in inputs.values():
        if isinstance(live.feeder, Http):
            await live.feeder.stop()
        elif isinstance(live.feeder, Stdin):
            live.feeder.stop()


def _connected(config: Config, data: Path) -> dict[str, Sink]:
    """The sinks of the configuration, and the store that the commands read."""
    configured = list(config.sink)
    if not any(sink.kind == "store" for sink in configured):
        configured.append(AnySink(name="store", kind="store"))
    if len({sink.name for sink in configured}) < len(configured):
        raise Mistake(
            "two sinks have the same name; rename one (`store` is the built-in one, unless a sink"
            " of that kind is configured)"
        )
    return {sink.name: connect(sink, data, config) for sink in configured}


def _couriers(
    connected: Mapping[str, Sink], config: Config, data: Path, journal: Journal
) -> list[Courier]:
    """One for each sink."""
    journal.subscribe({name: sink.kinds for name, sink in connected.items()})
    letters = DeadLetters(data / FILE, clock)
    return [
        Courier(name, sink, journal, letters, jitter=random.random, limit=config.limits.outbox)
        for name, sink in connected.items()
    ]
