"""Workers and a broker that are killed, halted, joined and left: nothing is lost or doubled."""

from __future__ import annotations

import gc
import logging
import os
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from random import Random
from statistics import quantiles
from typing import NamedTuple

import duckdb
import pytest

from correlators.ruleset import builtin, parse
from infra.demo import scenario
from infra.dev.broker import Broker
from infra.replaying import Order, replay
from schemas.config import Config
from schemas.times import parse as time_of
from tests.conftest import started
from tests.streams.kafka.chaos import UNTIL, Storm, stalls
from tests.streams.kafka.cluster import Cluster
from tests.streams.kafka.site import Feed, Site, command, documents
from tests.streams.kafka.verifier import Story, Verdict, judged

pytestmark = [
    pytest.mark.kafka,
    # kafka-python forgets the sockets of a broker that went away while it connected.
    pytest.mark.filterwarnings(
        "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
    ),
]

KILLS = int(os.environ.get("BAROGRAPH_CHAOS", "6"))  # `make chaos` has 100
SEED = int(os.environ.get("BAROGRAPH_CHAOS_SEED", "0"))
ROUND = 20  # kills, at most
FULL = KILLS >= ROUND
Final = Mapping[tuple[str, str], str]
Faults = Callable[[Storm, Random, int], list[Callable[[], None]]]


class Played(NamedTuple):
    """What a round has shown."""

    verdict: Verdict
    struck: Counter[str]
    ready: list[float]
    stalled: list[float]
    problems: list[str]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    clients = logging.getLogger("kafka")
    clients.setLevel(logging.CRITICAL)  # a broker that is away is no news here
    yield
    with warnings.catch_warnings(action="ignore"):
        gc.collect()  # see below
    clients.setLevel(logging.NOTSET)


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Broker]:
    """Yield a broker that nobody else needs."""
    yield from started(Broker(tmp_path / "kafka"))


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """Yield three brokers."""
    cluster = Cluster(tmp_path / "kafka")
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.stop()


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def replayed(inputs: Path, out: Path) -> Final:
    """The final results of a run without Kafka."""
    replay(Config(), parse(builtin()), [str(inputs)], out, Order(until=time_of(UNTIL)))
    found: dict[tuple[str, str], str] = {}
    with duckdb.connect(str(out / "barograph.duckdb"), read_only=True) as db:
        for table in ("findings", "alerts"):
            query = "SELECT id, body_sha256 FROM query_table(?) WHERE meta_state = 'final'"
            found |= {(table, id_): sha for id_, sha in db.execute(query, [table]).fetchall()}
    return found


def play(
    broker: Broker | Cluster, folder: Path, want: Final, number: int, kills: int, faults: Faults
) -> Played:
    """A round: the same records through a calm deployment and through a stormy one."""
    random = Random(SEED + number)
    partitions, workers = (1 if FULL and number % 2 else 4), 3 - number % 2
    found = documents(folder / "input", random, partitions)
    calm = Site(broker, f"calm-{number}.", partitions, folder / f"calm-{number}")
    calm.create()
    feed = Feed(calm, found)
    feed.start()
    feed.join()
    command(calm.config("calm"), "run", "--until", UNTIL)

    site = Site(broker, f"storm-{number}.", partitions, folder / f"storm-{number}")
    site.create()
    storm = Storm(site, random, say, workers)
    began = time.monotonic()
    last = kills // 6
    storm.run(faults(storm, random, kills - last), last, Feed(site, found, seconds=8 * kills + 20))
    took = time.monotonic() - began
    story = Story(broker.bootstrap, site.prefix)
    verdict = judged(story, Story(broker.bootstrap, calm.prefix), want)
    say(
        f"round {number}, {partitions} partitions, {workers} workers, {took:.0f} s:"
        f" {len(story.inputs)} records, lost {verdict.lost}, doubled {verdict.doubled},"
        f" {verdict.repeated} revisions repeated, {story.aborted} records aborted,"
        f" {len(story.final)} final results"
    )
    problems = [f"round {number}: {one}" for one in (*storm.problems, *verdict.problems)]
    for problem in problems:
        say(problem)
    live = {place: times for place, times in story.written.items() if "otel" in place}
    return Played(verdict, storm.counts(), storm.ready, list(stalls(storm.struck, live)), problems)


def all_kinds(storm: Storm, random: Random, kills: int) -> list[Callable[[], None]]:
    """What happens in a round, in any order."""
    kinds = [storm.kill_in_transaction, storm.kill, storm.kill_in_recovery, storm.kill_in_rebalance]
    found = [kinds[n % len(kinds)] for n in range(kills)] + [storm.kill_broker]
    found += [storm.join, storm.leave] * (2 if FULL else 1)
    random.shuffle(found)
    return [*found[:1], partial(storm.zombie, 60.0 if FULL else 15.0), *found[1:]]


def each_broker(storm: Storm, _random: Random, kills: int) -> list[Callable[[], None]]:
    """One broker after another, and workers between them."""
    return [storm.kill_broker, *[storm.kill, storm.kill_broker] * kills]


def told(name: str, seconds: Sequence[float]) -> str:
    """The median, the ninetieth of hundred and the longest."""
    if len(seconds) < 2:
        return f"{name}: too few"
    tenths = quantiles(seconds, n=10, method="inclusive")
    return (
        f"{name}: p50 {tenths[4]:.1f} s, p90 {tenths[8]:.1f} s, max {max(seconds):.1f} s,"
        f" n {len(seconds)}"
    )


def test_faults_change_nothing(own_broker: Broker, tmp_path: Path) -> None:
    scenario.write(tmp_path / "input")
    want = replayed(tmp_path / "input", tmp_path / "replayed")
    rounds = [min(ROUND, KILLS - n) for n in range(0, KILLS, ROUND)]
    played = [
        play(own_broker, tmp_path, want, n, kills, all_kinds) for n, kills in enumerate(rounds)
    ]
    struck = sum((one.struck for one in played), Counter[str]())
    say(", ".join(f"{count} x {fault}" for fault, count in sorted(struck.items())))
    say(told("from the start of a worker to ready", [s for one in played for s in one.ready]))
    say(told("from a kill until all go on", [s for one in played for s in one.stalled]))
    assert [problem for one in played for problem in one.problems] == []
    assert sum(count for fault, count in struck.items() if fault.startswith("kill")) >= KILLS // 2


def test_a_broker_of_three_may_go_at_any_time(cluster: Cluster, tmp_path: Path) -> None:
    scenario.write(tmp_path / "input")
    want = replayed(tmp_path / "input", tmp_path / "replayed")
    kills = 2 if FULL else 1
    played = play(cluster, tmp_path, want, 0, kills, each_broker)
    assert played.problems == []
    assert played.struck["kill of the broker"] == kills + 1
