"""Scaling: what a large estate asks of workers and brokers, by arithmetic on measured constants.

    python benchmarks/scaling.py                        the model
    python benchmarks/scaling.py --measure NAME ...     the constants, anew; see MEASURES

docs/scaling.md says what follows from it.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from math import ceil
from typing import Any, NamedTuple

from aiokafka import TopicPartition
from aiokafka.producer.message_accumulator import BatchBuilder
from lab import (
    PARTITIONS,
    SIGMA,
    Cost,
    Lab,
    apart,
    deployed,
    empty,
    filled,
    laboratory,
    paced,
    transact,
    worker,
)

from correlators.inventory import Inventory
from correlators.routes import Routes
from correlators.ruleset import Ruleset
from schemas.config import KafkaConfig, RulesConfig
from schemas.rows import Row, Tick
from streams.kafka import wire
from streams.kafka.keyed_part import KeyedPart
from streams.kafka.outbound import Outbound
from streams.kafka.pace import CALM, PAUSE
from streams.kafka.part import TICK, Step
from streams.kafka.recovery import Recovery
from streams.topology import Fed, Stage, stages

NORMAL = RulesConfig(paths=(SIGMA,))
SYSTEM_EDGES = 10  # of one application, in what is measured and in the model

# -- what was measured, µs of one core; by workers.py where nothing else is said

ROWS = {  # of a stage for a raw record, 5 % of which match a rule
    "ingest": 1.0,
    "habits": 0.043,
    "correlate-1": 0.001,
    "observe": 0.183,
    "inventory": 0.011,
    "attach": 0.009,
    "assess": 0.003,
}
COST = {  # of a row, without transactions
    "ingest": 11.6,
    "habits": 14.0,
    "correlate-1": 38.5,
    "observe": 16.3,
    "inventory": 10.5,
    "attach": 62.0,
    "assess": 100.0,
}
STEP = {"assess": 300.0}  # of a step, however few rows it has
READ = 0.9  # of the brokers, for a raw record that is read
TRANSACTION = (470.0, 66.0)  # of a worker: each, and for each partition that it writes to
BROKER = (800.0, 37.0)  # of the brokers, the same; --measure transactions
TICK_COST = (0.9, 3.5)  # to send one, to take one with what its consumer does; --measure ticks
EDGE = (0.6, 3.75)  # µs and bytes of each open edge when one changes; --measure inventory
EDGE_TIMES = 2  # a change is told early, and again when it settles
SLOT = {"correlate-1": 107, "observe": 171, "attach": 395, "assess": 1536}  # --measure state
READ_BACK = 35_000  # records of state in a second; --measure state
DEAD = 3.0  # records of a state topic for one that counts: before compaction cleans them
FULL = 0.7  # of a core that may be used: the rest is for catching up


class Estate(NamedTuple):
    """A load: records in a second, partitions (raw and keyed), and how many systems there are."""

    name: str
    records: int
    raw: int
    keyed: int
    systems: int
    pause: float = PAUSE  # seconds between two transactions of a partition that has rows
    entities: int = 10  # of a system
    churn: float = 1e-7  # of all edges that open or close in a second: about 1 % a day


ESTATES = (
    Estate("one worker", 10_000, 12, 12, 1_000),
    Estate("large", 100_000, 100, 12, 10_000),
    Estate("very large", 1_000_000, 100, 100, 1_000_000),
    Estate("the same, a step each 0.5 s", 1_000_000, 100, 100, 1_000_000, 0.5),
    Estate("and 24 keyed", 1_000_000, 100, 24, 1_000_000, 0.5),
)


class Needs(NamedTuple):
    """What an estate needs: cores by purpose, and the rates behind them."""

    rows: dict[str, float]  # cores of a stage, without Ticks and transactions
    transactions: float  # in a second
    written: float  # partitions that these write to, in a second
    ticks: float  # in a second, as they are received
    worker: float  # cores of all workers
    broker: float  # cores of all brokers
    state: float  # MB of one partition of all keyed stages
    recovery: float  # seconds until the largest partition is back
    inventory: float  # share of the one core that the inventory stage can have
    inventory_bytes: float  # that it writes for one change


def needs(estate: Estate) -> Needs:
    """The arithmetic."""
    keyed, ticked = estate.keyed, 1e6 / TICK  # Ticks of a raw partition in a second
    parts = dict.fromkeys(ROWS, keyed) | {"ingest": estate.raw, "inventory": 1}
    rate = {stage: estate.records * share for stage, share in ROWS.items()}
    # With rows a partition steps as fast as it can, for Ticks alone no oftener than these come.
    calm = {stage.name for stage in stages(Ruleset(), Routes(Ruleset())) if stage.calm}
    pause = {stage: max(estate.pause, CALM * (stage in calm)) for stage in ROWS}
    steps = {
        stage: parts[stage] * min(1 / pause[stage], rate[stage] / parts[stage] + ticked)
        for stage in ROWS
    }
    # To how many partitions the Tick of a step goes: habits, signals, facts and attach; attach;
    # attach; attach and inventory; membership; assess.
    heard = (4 * keyed, keyed, keyed, keyed + 1, keyed, keyed, 0)
    fan = dict(zip(ROWS, heard, strict=True))
    told = {stage: min(steps[stage], parts[stage] * ticked) for stage in ROWS}
    ticks = sum(told[stage] * fan[stage] for stage in ROWS)
    # A step writes where its Tick goes or its rows, to one partition of the history, to its state
    # and its positions.
    written = sum(steps[stage] * (min(rate[stage] / steps[stage], keyed) + 3) for stage in ROWS)
    written += ticks
    transactions = sum(steps.values())
    rows = {
        stage: (rate[stage] * COST[stage] + steps[stage] * STEP.get(stage, 0)) / 1e6
        for stage in ROWS
    }
    worker = sum(rows.values()) + ticks * sum(TICK_COST) / 1e6
    worker += (transactions * TRANSACTION[0] + written * TRANSACTION[1]) / 1e6
    broker = estate.records * READ + transactions * BROKER[0] + written * BROKER[1]
    entities = estate.systems * estate.entities / keyed
    slots = {"correlate-1": 0.1, "observe": 1.0, "attach": 0.25, "assess": 0.25}  # of an entity
    size = sum(entities * share * SLOT[stage] for stage, share in slots.items())
    edges = estate.systems * SYSTEM_EDGES
    change = edges * EDGE[0] * EDGE_TIMES / 1e6
    return Needs(
        rows,
        transactions,
        written,
        ticks,
        worker,
        broker / 1e6,
        size / 2**20,
        entities * DEAD / READ_BACK,
        min(edges * estate.churn, 1 / pause["inventory"]) * change,
        edges * EDGE[1] * EDGE_TIMES,
    )


def model() -> None:
    """Print the table."""
    found = [(estate, needs(estate)) for estate in ESTATES]
    print("| |", " | ".join(estate.name for estate, _ in found), "|")
    print("|---|" + "---|" * len(found))
    lines: dict[str, Callable[[Estate, Needs], str]] = {
        "records/s": lambda e, _: f"{e.records:,}",
        "partitions, raw and keyed": lambda e, _: f"{e.raw} and {e.keyed}",
        "AI systems": lambda e, _: f"{e.systems:,}",
        "cores: ingest": lambda _, n: f"{n.rows['ingest']:,.1f}",
        "cores: habits and observe": lambda _, n: f"{n.rows['habits'] + n.rows['observe']:,.1f}",
        "cores: correlate and attach": lambda _, n: (
            f"{n.rows['correlate-1'] + n.rows['attach']:,.1f}"
        ),
        "cores: assess": lambda _, n: f"{n.rows['assess']:,.1f}",
        "cores: Ticks and transactions": lambda _, n: f"{n.worker - sum(n.rows.values()):,.1f}",
        "transactions/s": lambda _, n: f"{n.transactions:,.0f}",
        "partitions written by them/s": lambda _, n: f"{n.written:,.0f}",
        "Ticks/s": lambda _, n: f"{n.ticks:,.0f}",
        "**workers**, a core each": lambda _, n: f"{ceil(n.worker / FULL):,}",
        "**cores of the brokers**": lambda _, n: f"{ceil(n.broker / FULL):,}",
        "MB of state of a partition": lambda _, n: f"{n.state:,.1f}",
        "s until a partition is back": lambda _, n: f"{n.recovery:,.1f}",
        "inventory: of its one core": lambda _, n: f"{n.inventory:,.1%}",
        "inventory: MB a change": lambda _, n: f"{n.inventory_bytes / 2**20:,.2f}",
    }
    for name, line in lines.items():
        print(f"| {name} |", " | ".join(line(*one) for one in found), "|")


# -- the measures


class _Record(NamedTuple):
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: wire.Headers


class _Fold:
    """One partition of the inventory stage without a broker."""

    def __init__(self) -> None:
        stage = Stage("inventory", 0, Inventory(), ("observe",), single=True)
        outbound, self._offset = Outbound(("membership",), PARTITIONS), 0
        fed = Fed(stage, ("observe/0",))
        clock = lambda: time.monotonic_ns() * 1000  # noqa: E731 - so fast that no Tick waits
        self.part = KeyedPart(fed, 0, ["inventory"], outbound, "", {}, clock)
        list(self.part.restore([]))

    def step(self, records: Sequence[wire.Record]) -> tuple[float, Step]:
        """Processor seconds, and what came of it."""
        fetched = [
            _Record(self._offset + n, 1, record.key, record.value, record.headers)
            for n, record in enumerate(records)
        ]
        self._offset += len(fetched)
        began = time.process_time()
        step = self.part.step({self.part.inputs[0]: fetched})
        if step is None:
            raise AssertionError("Ticks wait")
        return time.process_time() - began, step


def inventory(_: Lab) -> None:
    """What one edge costs that opens beside many others: early, and again when it settles."""
    print("| open edges | systems | µs an edge at first | ms a change | KB a change |")
    print("|---|---|---|---|---|")
    for edges in (1_000, 10_000, 20_000):
        fold = _Fold()
        links = [_link(n // SYSTEM_EDGES, n, 1) for n in range(edges)]
        filling, _step = fold.step([*links, wire.tick(Tick("observe/0", 0, 2, 2))])
        early, first = fold.step([_link(1, edges, 2)])
        settled, second = fold.step([wire.tick(Tick("observe/0", 0, 3, 3))])
        size = sum(
            len(sent.record.value or b"")
            for sent in (*first.records, *second.records)
            if sent.topic == "inventory-state"
        )
        print(
            f"| {edges:,} | {edges // SYSTEM_EDGES:,} | {filling / edges * 1e6:,.0f} |"
            f" {(early + settled) * 1e3:,.1f} | {size / 1024:,.0f} |",
            flush=True,
        )


def _link(system: int, number: int, when: int) -> wire.Record:
    body = {
        "from": f"application:app-{system:06d}",
        "relation": "uses",
        "to": f"agent:agent-{number:08d}",
        "declared": True,
        "open": True,
    }
    return wire.row(Row("inventory", 0, "estate", when, f"{number:08d}", "link", body))


def transactions(lab: Lab) -> None:
    """What a transaction costs by the number of partitions that it writes to; 12 side by side."""
    print("| partitions | transactions/s | µs of the worker | µs of the broker |")
    print("|---|---|---|---|")
    for width in (1, 6, 36, 100):
        cost: Cost = apart(transact, lab, width, 10.0).result()
        own, broker = cost.own / cost.records * 1e6, cost.broker / cost.records * 1e6
        print(f"| {width} | {cost.records / cost.seconds:,.0f} | {own:,.0f} | {broker:,.0f} |")


def ticks(_: Lab) -> None:
    """What a Tick costs to be written into a batch, and to be taken by a stage."""
    count = 20_000
    outbound, tick = Outbound(("attach",), count), Tick("signals/11", 0, 10**15, 10**15)
    began = time.process_time()
    batch = BatchBuilder(2**24, 0, is_transactional=1)
    for sent in outbound.sent([tick]):
        batch.append(
            timestamp=None,
            key=None,
            value=sent.record.value,
            headers=list(sent.record.headers),
        )
    written = time.process_time() - began
    fold = _Fold()
    records = [wire.tick(Tick("observe/0", 0, n, n)) for n in range(count)]
    taken, _step = fold.step(records)
    print(f"a Tick: {written / count * 1e6:.1f} µs to send, {taken / count * 1e6:.1f} µs to take")
    saved = fold.part.state
    print(f"and what the consumer takes to read it; state in {saved.topic}")


def state(lab: Lab) -> None:
    """What a run leaves in the state topics, and how fast it is read back."""
    records = 200_000
    filled(lab, "bench.state", records)
    kafka = deployed(lab, "state", NORMAL)
    run = (worker, lab, kafka, "bench.state", NORMAL, ())
    first: Cost = apart(*run, records).result()
    print(f"after {records:,} records:\n| stage | keys | bytes a key | largest, bytes |")
    print("|---|---|---|---|")
    for stage in first.stages:
        sizes = asyncio.run(_sizes(kafka, stage))
        print(
            f"| {stage} | {len(sizes):,} | {sum(sizes) / max(1, len(sizes)):,.0f} |"
            f" {max(sizes, default=0):,} |"
        )
    again: Cost = apart(*run, 0).result()
    print("\n| stage | records read back | s | records/s |\n|---|---|---|---|")
    for stage, seen in again.stages.items():
        read, seconds = seen["reread"], seen["recovering"]
        print(f"| {stage} | {read:,} | {seconds:.2f} | {read / max(seconds, 1e-9):,.0f} |")


async def _sizes(kafka: KafkaConfig, stage: str) -> list[int]:
    recovery = Recovery(kafka)
    await recovery.start()
    try:
        places = range(1 if stage == "inventory" else PARTITIONS)
        topic = f"{kafka.prefix}{stage}-state"
        found = await recovery.values(TopicPartition(topic, place) for place in places)
    finally:
        await recovery.stop()
    return [len(value) for values in found.values() for value in values.values()]


def trickle(lab: Lab) -> None:
    """How many transactions little load causes, and what they cost."""
    seconds, rate = 20.0, 600.0
    kafka = deployed(lab, "trickle", NORMAL)
    empty(lab, "bench.trickle")
    count = int(seconds * rate)
    running = apart(worker, lab, kafka, "bench.trickle", NORMAL, (), count)
    apart(paced, lab, "bench.trickle", rate, seconds).result()
    cost: Cost = running.result()
    print("| stage | transactions/s | records written by one | ms of one |\n|---|---|---|---|")
    for stage, seen in cost.stages.items():
        steps = max(1, seen["steps"])
        print(
            f"| {stage} | {steps / cost.seconds:,.1f} | {seen['sent'] / steps:,.0f} |"
            f" {seen['saving'] / steps * 1e3:.0f} |"
        )
    total = sum(seen["steps"] for seen in cost.stages.values())
    print(f"\n{rate:,.0f} records/s: {cost.own / cost.seconds:.0%} of a core for the worker,")
    print(f"{cost.broker / cost.seconds:.0%} for the broker;", end=" ")
    print(f"{cost.broker / total * 1e6:,.0f} µs of the broker for a transaction")


def workers(lab: Lab) -> None:
    """The same records with 1, 2 and 4 workers on this machine."""
    records = 200_000
    filled(lab, "bench.shared", records)
    print("| workers | records/s | µs of all workers | µs of the broker |\n|---|---|---|---|")
    for number in (1, 2, 4):
        kafka = deployed(lab, f"shared-{number}", NORMAL)
        run = (worker, lab, kafka, "bench.shared", NORMAL, (), 1)
        began = time.monotonic()
        running: list[Future[Any]] = [apart(*run) for _ in range(number)]
        costs: list[Cost] = [one.result() for one in running]
        seconds = max(cost.seconds for cost in costs)
        taken = sum(cost.records for cost in costs)
        own, broker = sum(cost.own for cost in costs), max(cost.broker for cost in costs)
        print(
            f"| {number} | {taken / seconds:,.0f} | {own / taken * 1e6:.1f} |"
            f" {broker / taken * 1e6:.1f} |",
            f"{taken:,} records seen, {time.monotonic() - began:.0f} s with start",
            flush=True,
        )


MEASURES: dict[str, Callable[[Lab], None]] = {
    one.__name__: one for one in (ticks, inventory, transactions, trickle, state, workers)
}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--measure", nargs="*", choices=[*MEASURES], default=[])
    arguments = parser.parse_args()
    if arguments.measure:
        with laboratory() as lab:
            for name in arguments.measure:
                print(f"\n{name}: {MEASURES[name].__doc__}\n", flush=True)
                MEASURES[name](lab)
    else:
        model()
