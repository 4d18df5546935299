"""Workers and a broker that are killed, halted, joined and left: nothing is lost or doubled."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from random import Random
from statistics import quantiles

import duckdb
import pytest

from correlators.ruleset import builtin, parse
from infra.demo import scenario
from infra.dev.broker import Broker
from infra.replaying import Order, replay
from schemas.config import Config
from schemas.times import parse as time_of
from tests.streams.kafka.chaos import UNTIL, Feed, Site, Storm, command, documents, stalls
from tests.streams.kafka.verifier import Story, judged

KILLS = int(os.environ.get("BAROGRAPH_CHAOS", "6"))  # `make chaos` has 100
SEED = int(os.environ.get("BAROGRAPH_CHAOS_SEED", "0"))
ROUND = 20  # kills, at most
FULL = KILLS >= ROUND


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Yield a broker that nobody else needs."""
    broker = Broker(tmp_path_factory.mktemp("chaos-kafka"))
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()
        broker.wipe()


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def replayed(inputs: Path, out: Path) -> dict[tuple[str, str], str]:
    """The final results of a run without Kafka."""
    replay(Config(), parse(builtin()), [str(inputs)], out, Order(until=time_of(UNTIL)))
    found: dict[tuple[str, str], str] = {}
    with duckdb.connect(str(out / "barograph.duckdb"), read_only=True) as db:
        for table in ("findings", "alerts"):
            query = "SELECT id, body_sha256 FROM query_table(?) WHERE meta_state = 'final'"
            found |= {(table, id_): sha for id_, sha in db.execute(query, [table]).fetchall()}
    return found


def faults(storm: Storm, random: Random, kills: int) -> list[Callable[[], None]]:
    """What happens in a round, in any order; who joins does so before one leaves."""
    zombie = partial(storm.zombie, 60.0 if FULL else 15.0)
    kinds = [storm.kill_in_transaction, storm.kill, storm.kill_in_recovery, storm.kill_in_rebalance]
    found = [kinds[n % len(kinds)] for n in range(kills)] + [storm.kill_broker]
    found += [storm.join, storm.leave] * (2 if FULL else 1)
    random.shuffle(found)
    return [*found[:1], zombie, *found[1:]]


def told(name: str, seconds: Sequence[float]) -> str:
    """The median, the ninetieth of hundred and the longest."""
    if len(seconds) < 2:
        return f"{name}: too few"
    tenths = quantiles(seconds, n=10, method="inclusive")
    return (
        f"{name}: p50 {tenths[4]:.1f} s, p90 {tenths[8]:.1f} s, max {max(seconds):.1f} s,"
        f" n {len(seconds)}"
    )


@pytest.mark.kafka
# kafka-python forgets the sockets of a broker that went away while it connected.
@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
def test_faults_change_nothing(own_broker: Broker, tmp_path: Path) -> None:
    inputs = tmp_path / "input"
    scenario.write(inputs)
    want = replayed(inputs, tmp_path / "replayed")
    struck, ready, gone_on = Counter[str](), list[float](), list[float]()
    problems: list[str] = []
    for number, kills in enumerate([min(ROUND, KILLS - n) for n in range(0, KILLS, ROUND)]):
        random = Random(SEED + number)
        partitions, workers = (4, 1)[number % 2] if FULL else 4, 2 + number % 2
        found = documents(inputs, random, partitions)
        calm = Site(own_broker, f"calm-{number}.", partitions, tmp_path / f"calm-{number}")
        calm.create()
        feed = Feed(calm, found)
        feed.start()
        feed.join()
        command(calm.config("calm"), "run", "--until", UNTIL)
        quiet = Story(own_broker.bootstrap, calm.prefix)

        site = Site(own_broker, f"storm-{number}.", partitions, tmp_path / f"storm-{number}")
        site.create()
        storm = Storm(site, random, say, workers)
        began = time.monotonic()
        storm.run(faults(storm, random, kills), Feed(site, found, seconds=8 * kills + 20))
        took = time.monotonic() - began
        story = Story(own_broker.bootstrap, site.prefix)
        verdict = judged(story, quiet, want)
        struck += storm.counts()
        ready += storm.ready
        gone_on += stalls(storm.struck, story.written)
        problems += [f"round {number}: {one}" for one in (*storm.problems, *verdict.problems)]
        say(
            f"round {number}, {partitions} partitions, {workers} workers, {took:.0f} s:"
            f" {len(story.inputs)} records, lost {verdict.lost}, doubled {verdict.doubled},"
            f" {verdict.repeated} revisions repeated, {story.aborted} records aborted,"
            f" {len(story.final)} final results; problems: {[*storm.problems, *verdict.problems]}"
        )
    gc.collect()
    say(", ".join(f"{count} x {fault}" for fault, count in sorted(struck.items())))
    say(told("from the start of a worker to ready", ready))
    say(told("from a kill until all partitions go on", gone_on))
    assert problems == []
    assert sum(n for fault, n in struck.items() if fault.startswith("kill")) > KILLS // 2
