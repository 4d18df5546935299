"""Lab: a broker of its own, records in it, and workers as processes whose costs are counted.

What the scripts of this folder share; it measures nothing by itself.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import Any, NamedTuple

import aiokafka

from correlators.ruleset import Ruleset
from infra.dev.broker import Broker
from infra.rules import load
from schemas.config import Config, InputConfig, KafkaConfig, RulesConfig
from schemas.errors import Unavailable
from schemas.times import HOUR
from schemas.topics import Plan, deployment
from streams.kafka.connection import admin
from streams.kafka.deployment import Deployment, deploy
from streams.kafka.driver import Driver
from streams.kafka.host import Host
from streams.kafka.topics import create

SHARED = Path(os.environ.get("BAROGRAPH_SHARED", Path(__file__).parents[2] / "shared"))
SIGMA = str(SHARED / "corpora/rules/sigma-DRL/rules/cloud/aws/cloudtrail")
PARTITIONS = 12
RUN = 50  # records in a row of one partition: a sender's batch
WARM = 30.0  # seconds of work for a new broker before anything is measured
WIDE = 300  # partitions of the topic for it
PACE = 50.0  # generated records of one second of event time
QUIET = 3.0  # seconds without a step after which a worker has done everything
BUSY = 0.05  # seconds of work without a step that was saved, which show that one is under way
TENTHS = 10  # looks at the memory during a run


class Lab(NamedTuple):
    """Where the broker is, its process, and where rules may be written."""

    bootstrap: str
    broker: int
    folder: str


class Cost(NamedTuple):
    """What it took to read so many records: seconds of the clock and of processors.

    Of a worker: `stages`, the figures that it shows of each; `memory`, MB after so many records.
    """

    records: int
    seconds: float
    own: float
    broker: float
    stages: dict[str, dict[str, float]]
    memory: list[tuple[int, float]]


class Meter:
    """Counts from now on what this process and the broker spend."""

    def __init__(self, broker: int) -> None:
        self._broker = broker
        self._began = self._now()

    def read(self, records: int) -> Cost:
        """What was spent so far."""
        clock, own, broker = (
            now - then for now, then in zip(self._now(), self._began, strict=True)
        )
        return Cost(records, clock, own, broker, {}, [])

    def _now(self) -> tuple[float, float, float]:
        fields = Path(f"/proc/{self._broker}/stat").read_text("ascii").rpartition(")")[2].split()
        ticks = int(fields[11]) + int(fields[12])  # user and system
        return time.monotonic(), time.process_time(), ticks / os.sysconf("SC_CLK_TCK")


def apart(run: Callable[..., Any], *args: object) -> Future[Any]:
    """Run a function in a new process."""
    pool = ProcessPoolExecutor(1, get_context("spawn"), initializer=_prepared)
    future = pool.submit(run, *args)
    pool.shutdown(wait=False)
    return future


def _prepared() -> None:
    gc.set_threshold(200_000, 20, 100)  # as the command line does
    for noisy in ("aiokafka", "kafka", "faust", "mode", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)


@contextmanager
def laboratory() -> Iterator[Lab]:
    """A broker that lives as long as the context.

    It is warm: in its first half minute a transaction costs it ten times as much.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        broker = Broker(Path(folder) / "kafka")
        broker.start()
        try:
            pid = int((broker.folder / "broker.pid").read_text("ascii"))
            lab = Lab(broker.bootstrap, pid, folder)
            apart(transact, lab, 6, WARM).result()
            yield lab
        finally:
            for child in active_children():  # of a run that failed
                child.terminate()
            broker.stop()


def transact(lab: Lab, width: int, seconds: float) -> Cost:
    """Small transactions side by side, each into so many partitions; one of the cost is one."""
    topic, done = "bench.wide", 0
    empty(lab, topic, WIDE)

    async def one(number: int, end: float) -> None:
        nonlocal done
        async with aiokafka.AIOKafkaProducer(
            bootstrap_servers=lab.bootstrap, transactional_id=f"wide-{number}"
        ) as producer:
            while time.monotonic() < end:
                async with producer.transaction():
                    places = [(number * width + n) % WIDE for n in range(width)]
                    sent = [await producer.send(topic, b"x" * 100, partition=p) for p in places]
                    await asyncio.gather(*sent)
                done += 1

    async def run() -> Cost:
        end = time.monotonic() + seconds
        meter = Meter(lab.broker)
        await asyncio.gather(*(one(number, end) for number in range(PARTITIONS)))
        return meter.read(done)

    return asyncio.run(run())


def deployed(lab: Lab, name: str, rules: RulesConfig) -> KafkaConfig:
    """A deployment of its own, with its topics."""
    kafka = KafkaConfig(bootstrap=lab.bootstrap, prefix=f"{name}.", partitions=PARTITIONS)
    levels = load(rules).levels
    with admin(kafka) as client:
        create(client, kafka, deployment(kafka, levels))
    return kafka


def filled(lab: Lab, topic: str, count: int) -> float:
    """A raw topic with so many records; bytes of one."""
    empty(lab, topic)
    size: float = apart(fill, lab, topic, count).result()
    return size


def empty(lab: Lab, topic: str, partitions: int = PARTITIONS) -> None:
    """A topic without records, or as it is."""
    kafka = KafkaConfig(bootstrap=lab.bootstrap)
    with admin(kafka) as client:
        create(client, kafka, [Plan(topic, partitions, {})])


def written(lab: Lab, name: str, text: str) -> str:
    """A file of rules."""
    file = Path(lab.folder) / f"{name}.yml"
    file.write_text(text, "utf-8")
    return str(file)


# -- records


def generated(count: int, pace: float, start: float) -> Iterator[bytes]:
    """CloudTrail records, `pace` of them for each second of event time."""
    command = [sys.executable, str(SHARED / "bench/gen_cloudtrail.py"), "--seed", "7"]
    options = ["--n", str(count), "--rate", str(pace), "--start", str(int(start))]
    with subprocess.Popen(
        [*command, *options, "--out", "/dev/stdout"], stdout=subprocess.PIPE, bufsize=2**20
    ) as process:
        for line in process.stdout or ():
            yield line.rstrip()


def fill(lab: Lab, topic: str, count: int) -> float:
    """Write records that end now to all partitions, in runs; bytes of one, on average."""

    async def write() -> float:
        size = 0
        async with aiokafka.AIOKafkaProducer(
            bootstrap_servers=lab.bootstrap, max_batch_size=2**19
        ) as producer:
            batches = [producer.create_batch() for _ in range(PARTITIONS)]
            for n, value in enumerate(generated(count, PACE, time.time() - 60 - count / PACE)):
                size += len(value)
                place = n // RUN % PARTITIONS
                if batches[place].append(key=None, value=value, timestamp=None) is None:
                    await producer.send_batch(batches[place], topic, partition=place)
                    batches[place] = producer.create_batch()
                    batches[place].append(key=None, value=value, timestamp=None)
            for place, batch in enumerate(batches):
                await producer.send_batch(batch, topic, partition=place)
        return size / count

    return asyncio.run(write())


def paced(lab: Lab, topic: str, rate: float, seconds: float) -> int:
    """Write records of now at a rate, so many each tenth of a second."""

    async def write() -> int:
        written, began = 0, time.time()
        async with aiokafka.AIOKafkaProducer(
            bootstrap_servers=lab.bootstrap, linger_ms=20, max_batch_size=2**18
        ) as producer:
            for value in generated(int(rate * seconds), rate, began):
                place = written // RUN % PARTITIONS
                await producer.send(topic, value, partition=place)
                written += 1
                if written % max(1, int(rate / 10)) == 0:
                    await asyncio.sleep(max(0, began + written / rate - time.time()))
        return written

    return asyncio.run(write())


def worker(
    lab: Lab, kafka: KafkaConfig, topic: str, rules: RulesConfig, stages: Sequence[str], count: int
) -> Cost:
    """Ours: the stages named (none: all) until so many records, and all that comes of them, are in.

    `count`: of the rows and Ticks of the first stage, at least; with 0 there may be nothing to do.
    """

    async def run() -> Cost:
        input_ = InputConfig(name="raw", kind="kafka", topic=topic, source="cloudtrail", idle=HOUR)
        config = Config(kafka=kafka, input=(input_,))
        ruleset = load(rules)
        plan = await _agreed(config, kafka, ruleset)
        driver = Driver(kafka, [job for job in plan.jobs if not stages or job.stage in stages])
        await driver.start()
        await until(lambda: all(map(_ready, driver.hosts)))
        first, meter = driver.hosts[0].figures, Meter(lab.broker)
        before, cost, memory = first.records, meter.read(0), list[tuple[int, float]]()
        taken, worked, changed = 0, 0.0, time.monotonic()
        while first.records < count or time.monotonic() - changed < QUIET:
            await asyncio.sleep(0.02)
            done = sum(host.figures.records for host in driver.hosts)
            busy = sum(host.figures.computing for host in driver.hosts)
            if done != taken or busy - worked > BUSY:
                taken, worked, changed = done, busy, time.monotonic()
                cost = meter.read(first.records - before)
            if first.records >= count / TENTHS * (len(memory) + 1) and count:
                memory.append((first.records, _memory()))
        figures = {host.job.stage: dict(vars(host.figures)) for host in driver.hosts}
        await driver.stop()
        return cost._replace(stages=figures, memory=memory)

    return asyncio.run(run())


async def _agreed(config: Config, kafka: KafkaConfig, ruleset: Ruleset) -> Deployment:
    """As the service does it: of several that start at the same time, one is first."""
    while True:
        try:
            return await deploy(config, kafka, ruleset, lambda: time.time_ns() // 1000)
        except Unavailable:
            await asyncio.sleep(1)


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what others bring about; two minutes at most."""
    async with asyncio.timeout(120):
        while not holds():  # noqa: ASYNC110 - nobody would set an event
            await asyncio.sleep(0.01)


def _ready(host: Host) -> bool:
    return host.life is not None and host.life.assigned and host.life.recovering[0] == 0


def _memory() -> float:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
