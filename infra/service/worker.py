"""Worker: everything of a run with [kafka] joined together, from start to a clean stop."""

from __future__ import annotations

import asyncio
import logging
import random
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

from correlators.ruleset import Ruleset
from infra.api.api import Api
from infra.api.guard import FOR_US
from infra.brokers import inputs
from infra.compliance.assessor import Assessor, rule_ids
from infra.posture.posture import Posture
from infra.reading.snapshots import Snapshots, assessing, published
from infra.service.health import Health, scheme
from infra.service.process import clock, on_hangup, say, stop_on_signals
from infra.service.reload import Outcome, Running
from infra.service.threads import Carriers
from infra.service.worker_vitals import WorkerVitals
from schemas.config import Config, KafkaConfig
from schemas.errors import Mistake, Unavailable
from sinks.delivery.courier import Courier
from sinks.delivery.kinds import connect
from sinks.delivery.letters import FILE, DeadLetters
from streams.kafka.deployment import Deployment, deploy
from streams.kafka.driver import Driver
from streams.kafka.outbox import TopicOutbox
from streams.kafka.permission import permitted
from streams.kafka.problems import BROKERS, sentence

AGAIN = (1.0, 30.0)  # seconds between two attempts to start: at first, at most
ATTEMPT = 120.0  # seconds of one: who of several brokers was asked may have gone meanwhile
LOOK = 1.0  # seconds between two looks at the stages
ROLL = (
    "nothing was reloaded: the workers of a deployment change their rules together; stop them all,"
    " then start them with the new ones (docs/kafka.md)"
)
AWAY = (Unavailable, OSError, TimeoutError, *BROKERS)  # what is tried again


async def work(
    config: Config, kafka: KafkaConfig, ruleset: Ruleset, until: int | None = None
) -> None:
    """Run until SIGTERM or SIGINT, or with `until` until time has come to its end here.

    A broker that is away is waited for. Raises Mistake, and KeyboardInterrupt after a clean stop by
    SIGINT.
    """
    # What the libraries have to say is about connections and comes by the hundred; what matters of
    # it is in /readyz.
    for noisy in ("aiokafka", "kafka", "faust", "mode", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    count = len(ruleset.rules) + len(ruleset.correlations) + len(ruleset.convergences)
    vitals = WorkerVitals(clock, Running(ruleset.sha256, count, clock()))
    couriers, outboxes, snapshots = _couriers(
        config, kafka, Assessor(lambda: rule_ids(ruleset), config)
    )
    posture = Posture(snapshots, config.inventory.approved, config.sla)
    api = Api(snapshots, config.server, config.inventory.approved, clock)
    carriers = Carriers(couriers)
    stop, signals = asyncio.Event(), set[int]()
    stop_on_signals(stop, signals)
    on_hangup(lambda: say(ROLL))
    runner, port = await Health(vitals, couriers, posture, api, _refused).start(config.server)
    say(f"{scheme(config.server)}://{config.server.host}:{port}/readyz says how it is")
    if not api.open:
        say(FOR_US)
    carriers.start()
    try:
        started = await _started(config, kafka, ruleset, vitals, stop, until)
        if started is not None:
            driver, deployment = started

            async def ended() -> bool:
                """Whether the run is over everywhere; a broker that is away does not end it."""
                try:
                    over = await deployment.ended()
                except AWAY as error:
                    vitals.waiting = await asyncio.to_thread(sentence, error, kafka)
                    return False
                vitals.waiting = None
                return over

            try:
                await _watched(driver, vitals, stop, ended if until else None)
            finally:
                vitals.waiting = "stops"
                await driver.stop()
    finally:
        await asyncio.to_thread(carriers.stop)
        for outbox in outboxes:
            outbox.close()
        await runner.cleanup()
        snapshots.close()
    if signal.SIGINT in signals:
        raise KeyboardInterrupt  # everything is saved; the exit code says who ended it


async def _refused() -> Outcome:
    """What a worker answers to POST /-/reload."""
    return Outcome(done=False, said=[ROLL])


async def _started(
    config: Config,
    kafka: KafkaConfig,
    ruleset: Ruleset,
    vitals: WorkerVitals,
    stop: asyncio.Event,
    until: int | None,
) -> tuple[Driver, Deployment] | None:
    """The driver, once a broker has let us in and the other workers agree; None if stopped."""
    wait, longest = AGAIN
    while not stop.is_set():
        try:
            async with asyncio.timeout(ATTEMPT):
                await asyncio.to_thread(permitted, kafka, ruleset.levels, inputs(config))
                deployment = await deploy(config, kafka, ruleset, clock, until)
            driver = Driver(kafka, deployment.jobs)
            await driver.start()
        except AWAY as error:
            said = await asyncio.to_thread(sentence, error, kafka)
            vitals.waiting = f"{said}; tries again"
            say(vitals.waiting)
        else:
            vitals.hosts, vitals.waiting = driver.hosts, None
            return driver, deployment
        try:
            await asyncio.wait_for(stop.wait(), wait)
        except TimeoutError:
            wait = min(2 * wait, longest)
    return None


async def _watched(
    driver: Driver,
    vitals: WorkerVitals,
    stop: asyncio.Event,
    ended: Callable[[], Awaitable[bool]] | None,
) -> None:
    """Say what changes, until `stop`, a refusal, or the end of a run that has one."""
    said: list[str] = []
    while not stop.is_set():
        reasons = vitals.reasons()
        if reasons != said:
            say("; ".join(reasons) or "ready")
            said = reasons
        refused = next((h.refusal for h in driver.hosts if h.refusal is not None), None)
        if refused is not None:
            raise refused
        # Nothing of ours goes on: a look at whether that is so everywhere, or we wait for a part.
        if ended is not None and all(host.ended for host in driver.hosts) and await ended():
            return
        try:
            await asyncio.wait_for(stop.wait(), LOOK)
        except TimeoutError:
            continue


def _couriers(
    config: Config, kafka: KafkaConfig, assessor: Assessor
) -> tuple[list[Courier], list[TopicOutbox], Snapshots]:
    """One for each sink of the configuration, and none besides; what a store among them holds."""
    if len({sink.name for sink in config.sink}) < len(config.sink):
        raise Mistake("two sinks have the same name; rename one")
    data = Path(config.data)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    letters = DeadLetters(data / FILE, clock)
    couriers: list[Courier] = []
    outboxes: list[TopicOutbox] = []
    connected = {entry.name: connect(entry, data, config) for entry in config.sink}
    assessing(connected.values(), assessor)
    for name, sink in connected.items():
        outbox = TopicOutbox(kafka, name, sink.kinds, data, local=sink.local)
        outboxes.append(outbox)
        couriers.append(Courier(name, sink, outbox, letters, jitter=random.random, limit=None))
    return couriers, outboxes, Snapshots(published(connected.values()))
