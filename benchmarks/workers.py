"""Kafka path: a worker beside a bare consumer and a plain Faust agent, on a broker of its own.

    python benchmarks/workers.py [RECORDS] [--memory RECORDS] [--rate RATE] [--only NAME ...]

Needs Java (see infra/dev/broker.py) and the shared generator and rules (BAROGRAPH_SHARED, default
../shared). Each row is a process of its own that reads what lies in a topic of 12 partitions: its
processor time, that of the broker meanwhile, and what the clock said. The clock is shared with the
broker and with whatever else runs here: read the processor time first.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import time
from concurrent.futures import Future
from functools import partial
from statistics import quantiles
from typing import Any

import aiokafka
import faust
from aiokafka import TopicPartition
from lab import (
    PARTITIONS,
    SIGMA,
    Cost,
    Lab,
    Meter,
    apart,
    deployed,
    empty,
    fill,
    filled,
    laboratory,
    paced,
    until,
    worker,
    written,
)

from schemas.config import RulesConfig

AGENT_SHARE = 5  # the plain agent reads so much less: it is that much slower
TRIALS, GAP = 200, 0.25  # probes of the latency, and seconds between two
FIRST = 120  # probes that are not counted: half a minute in which a broker compiles what it does
ALL, FEW = "bench.all", "bench.few"  # topics of the records, and of a fifth of them
NORMAL = RulesConfig(paths=(SIGMA,))
EVERY = """\
title: Every record
name: every
level: medium
logsource: {product: aws, service: cloudtrail}
detection:
  selection: {eventVersion|contains: "1"}
  condition: selection
---
title: Ten of one user
name: ten_of_one
level: medium
correlation:
  type: event_count
  rules: [every]
  group-by: [userIdentity.arn]
  timespan: 10m
  condition: {gte: 10}
"""
PROBE = """\
title: Probe
name: probe
level: informational
logsource: {product: aws, service: cloudtrail}
detection:
  selection: {eventName: BenchmarkProbe}
  condition: selection
---
title: Two probes
name: two_probes
level: high
correlation:
  type: event_count
  rules: [probe]
  group-by: [userIdentity.arn]
  timespan: 10m
  condition: {gte: 2}
"""


# -- who reads them


def consumer(lab: Lab, topic: str, count: int) -> Cost:
    """The floor: a bare consumer that does nothing with what it reads."""

    async def read() -> Cost:
        async with aiokafka.AIOKafkaConsumer(
            bootstrap_servers=lab.bootstrap,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_partition_fetch_bytes=4 * 2**20,
        ) as reader:
            reader.assign([TopicPartition(topic, place) for place in range(PARTITIONS)])
            meter, records = Meter(lab.broker), 0
            while records < count:
                found = await reader.getmany(timeout_ms=1000, max_records=20_000)
                records += sum(map(len, found.values()))
            return meter.read(records)

    return asyncio.run(read())


def agent(lab: Lab, topic: str, count: int) -> Cost:
    """The peer: an agent of Faust that takes events one by one and does nothing with them."""

    async def read() -> Cost:
        app = faust.App(
            f"agent-{time.time_ns()}",
            broker=f"kafka://{lab.bootstrap}",
            store="memory://",
            value_serializer="raw",
            consumer_auto_offset_reset="earliest",
            web_enabled=False,
            datadir=lab.folder,
        )
        records, begins = 0, asyncio.Event()

        async def take(stream: Any) -> None:  # noqa: ANN401 - Faust's own
            nonlocal records
            async for _ in stream:
                records += 1
                begins.set()

        app.agent(app.topic(topic, value_type=bytes))(take)
        await app.start()
        await begins.wait()
        meter, before = Meter(lab.broker), records
        await until(lambda: records >= count)
        cost = meter.read(records - before)
        await app.stop()
        return cost

    return asyncio.run(read())


# -- latency


def probe(lab: Lab, prefix: str, topic: str) -> list[float]:
    """Seconds from sending the second of two records to the alert that they lead to."""

    async def run() -> list[float]:
        sent: dict[bytes, float] = {}
        came: dict[bytes, float] = {}
        async with (
            aiokafka.AIOKafkaConsumer(
                bootstrap_servers=lab.bootstrap, isolation_level="read_committed"
            ) as reader,
            aiokafka.AIOKafkaProducer(bootstrap_servers=lab.bootstrap) as producer,
        ):
            places = [TopicPartition(f"{prefix}alerts", n) for n in range(PARTITIONS)]
            reader.assign(places)
            await reader.seek_to_end()

            async def watch() -> None:
                async for record in reader:
                    for name in re.findall(rb"user/(probe-\d+-\d+)", record.value or b""):
                        came.setdefault(name, time.monotonic())

            async def trial(number: int) -> bytes:
                name = f"probe-{time.time_ns()}-{number}"
                for hit in range(2):
                    sent[name.encode()] = time.monotonic()
                    await producer.send(topic, _probe(name, hit), partition=number % PARTITIONS)
                    await asyncio.sleep(GAP / 2)
                return name.encode()

            watching = asyncio.create_task(watch())
            warm = await trial(0)
            await until(lambda: warm in came)
            for number in range(FIRST):
                await trial(number)
            names = [await trial(number) for number in range(TRIALS)]
            await until(lambda: all(name in came for name in names))
            watching.cancel()
        return [came[name] - sent[name] for name in names]

    return asyncio.run(run())


def _probe(name: str, hit: int) -> bytes:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return (
        f'{{"eventVersion":"1.11","eventID":"{name}-{hit}","eventTime":"{now}",'
        '"eventSource":"bedrock.amazonaws.com","eventName":"BenchmarkProbe",'
        '"awsRegion":"us-east-1","sourceIPAddress":"203.0.113.9","userIdentity":{"type":"IAMUser",'
        f'"arn":"arn:aws:iam::111122223333:user/{name}","accountId":"111122223333"}},'
        '"recipientAccountId":"111122223333"}'
    ).encode()


# -- the table


class Bench:
    """The runs, each under the name that `--only` takes."""

    def __init__(self, lab: Lab, count: int, rate: float) -> None:
        self.lab, self.count = lab, count
        self._rate = rate

    def floor(self) -> None:
        """Others, who do nothing with what they read."""
        show("aiokafka consumer, nothing done", apart(consumer, self.lab, ALL, self.count))
        few = self.count // AGENT_SHARE
        show("Faust agent, event by event, nothing done", apart(agent, self.lab, FEW, few))

    def ingest(self) -> None:
        """The first stage alone."""
        for name, rules in {
            "built-in rules": RulesConfig(),
            "57 SigmaHQ rules": RulesConfig(paths=(SIGMA,), builtin=False),
        }.items():
            kafka = deployed(self.lab, "ingest-" + name[:2], rules)
            job = apart(worker, self.lab, kafka, ALL, rules, ["ingest"], self.count)
            show(f"ingest, {name}", job)

    def all(self) -> None:
        """A whole worker."""
        kafka = deployed(self.lab, "all", NORMAL)
        cost = show("all stages, both", apart(worker, self.lab, kafka, ALL, NORMAL, (), self.count))
        self._rate = self._rate or cost.records / cost.seconds / 2
        by_stage(cost)

    def keyed(self) -> None:
        """The keyed stages alone, behind a rule that matches every record."""
        rules = RulesConfig(paths=(written(self.lab, "every", EVERY),), builtin=False)
        kafka, few = deployed(self.lab, "keyed", rules), self.count // AGENT_SHARE
        run = partial(apart, worker, self.lab, kafka, FEW, rules)
        show("ingest, every record matches", run(["ingest"], few))
        for stage in ("correlate-1", "observe", "inventory", "attach", "assess"):
            show(f"{stage}, rows and Ticks", run([stage], 1))

    def latency(self) -> None:
        """From the second of two records to the alert, at half the rate of a whole worker."""
        rules = RulesConfig(paths=(SIGMA, written(self.lab, "probe", PROBE)))
        if not self._rate:
            self.all()
        kafka, topic = deployed(self.lab, "latency", rules), "bench.now"
        empty(self.lab, topic)
        trials = FIRST + TRIALS
        rate, seconds = self._rate, trials * GAP + 20
        expected = int(rate * seconds) + 2 * trials + 2
        running = apart(worker, self.lab, kafka, topic, rules, (), expected)
        load_ = apart(paced, self.lab, topic, rate, seconds)
        taken: list[float] = apart(probe, self.lab, kafka.prefix, topic).result()
        load_.result()
        cost: Cost = running.result()
        cuts = quantiles(taken, n=100)
        print(f"\n{rate:,.0f} records/s beside, {cost.own / cost.records * 1e6:.1f} µs of each\n")
        print("| trials | p50 ms | p90 ms | p99 ms | max ms |\n|---|---|---|---|---|")
        shown = (cuts[49], cuts[89], cuts[98], max(taken))
        print(f"| {len(taken)} |", " | ".join(f"{one * 1e3:.0f}" for one in shown), "|", flush=True)
        by_stage(cost)

    def memory(self, count: int) -> None:
        """What a whole worker holds after each tenth of the records, written while it reads."""
        kafka, topic = deployed(self.lab, "memory", NORMAL), "bench.long"
        empty(self.lab, topic)
        running = apart(worker, self.lab, kafka, topic, NORMAL, (), count)
        apart(fill, self.lab, topic, count).result()
        cost: Cost = running.result()
        print("\n| records | MB |\n|---|---|")
        for records, size in cost.memory:
            print(f"| {records:,} | {size:,.0f} |", flush=True)
        show("all stages, both, while they are written", cost)


def by_stage(cost: Cost) -> None:
    """Print what each stage of a worker did."""
    print("\n| stage | rows and Ticks | records written | transactions | µs of a row |")
    print("|---|---|---|---|---|")
    for stage, seen in cost.stages.items():
        each = seen["computing"] / max(1, seen["records"]) * 1e6
        counts = " | ".join(f"{seen[name]:,}" for name in ("records", "sent", "steps"))
        print(f"| {stage} | {counts} | {each:.0f} |", flush=True)


def show(name: str, run: Future[Any] | Cost) -> Cost:
    """Print a row of the table once the run is over."""
    cost: Cost = run if isinstance(run, Cost) else run.result()
    each = (cost.own / cost.records * 1e6, cost.broker / cost.records * 1e6)
    print(
        f"| {name} | {cost.records:,} | {cost.records / cost.seconds:,.0f} | {each[0]:.1f} |"
        f" {each[1]:.1f} | {1e6 / each[0]:,.0f} |",
        flush=True,
    )
    return cost


def main(arguments: argparse.Namespace) -> None:
    """Start a broker, fill two topics, run."""
    with laboratory() as lab:
        size = filled(lab, ALL, arguments.records)
        filled(lab, FEW, arguments.records // AGENT_SHARE)
        print(f"{arguments.records:,} records of {size:,.0f} bytes, {PARTITIONS} partitions;")
        print(f"load of this machine: {os.getloadavg()[0]:.1f}, processors: {os.cpu_count()}\n")
        print(
            "| run | records | records/s | µs of a record | of the broker | records/s of a core |"
        )
        print("|---|---|---|---|---|---|")
        bench = Bench(lab, arguments.records, arguments.rate)
        for name in arguments.only:
            getattr(bench, name)()
        if arguments.memory:
            bench.memory(arguments.memory)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("records", type=int, nargs="?", default=300_000)
    parser.add_argument("--memory", type=int, default=1_000_000, help="0: not measured")
    beside = "records/s beside the latency; default: half of a whole worker's"
    parser.add_argument("--rate", type=float, default=0.0, help=beside)
    parts = ["floor", "ingest", "all", "keyed", "latency"]
    parser.add_argument("--only", nargs="*", choices=parts, default=parts)
    main(parser.parse_args())
