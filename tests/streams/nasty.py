"""A driver that is as nasty as allowed: random scheduling, batches, crashes, copies, idle Ticks.

It runs the real stages (ingest, correlate, observe, inventory, attach, assess) on 1 or 4 partitions
over a small random estate, with two sources of different lateness and three levels of chained
correlations.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice, takewhile
from random import Random
from typing import Any, NamedTuple

import orjson

from correlators.keyed import Keyed
from correlators.routes import Routes
from correlators.ruleset import Ruleset
from correlators.sigma.values import is_object
from correlators.slot import Slot
from schemas.config import Limits
from schemas.rows import Output, Result, Tick
from schemas.times import END, SECOND
from streams.ingest import Ingest, Progress
from streams.input import Chunk
from streams.matchers import Matchers
from streams.topology import build, partition_of, stage_of
from tests.streams.estate import LATENESS, SOURCES, START, workload

Lane = list["dict[str, Any] | int"]  # records, and idle Ticks as watermarks in seconds


def arrivals(
    events: Sequence[dict[str, Any]],
    partitions: int,
    random: Random,
    disorder: float,
    copies: float,
    *,
    idle: bool,
) -> dict[str, Lane]:
    """What each raw partition sees, in order; late is only a copy of what was in time."""
    arriving: dict[str, list[tuple[float, float, dict[str, Any]]]] = {
        f"{name}/{p}": [] for name in LATENESS for p in range(partitions)
    }
    for event in events:
        for _ in range(1 + (random.random() < copies) + (random.random() < copies / 2)):
            part = 0 if idle and random.random() < 0.9 else random.randrange(partitions)
            delay = random.random() * disorder * LATENESS[event["source"]]
            arriving[f"{event['source']}/{part}"].append(
                (event["time"] + delay, random.random(), event)
            )
    lanes: dict[str, Lane] = {}
    for name, found in arriving.items():
        ordered: Lane = [event for _, _, event in sorted(found, key=lambda x: x[:2])]
        if idle:
            place = random.randrange(len(ordered) + 1)
            rest = [event["time"] for event in ordered[place:] if isinstance(event, dict)]
            ordered.insert(place, min(rest) if rest else 5)
        seen = [event for event in ordered if isinstance(event, dict)]
        top = max((event["time"] for event in seen), default=0)
        lateness = LATENESS[name.partition("/")[0]]
        ordered += [e for e in seen if random.random() < copies / 4 and e["time"] < top - lateness]
        lanes[name] = ordered
    return lanes


class Cluster:
    """Real stages behind inboxes, first in first out for each upstream; all else is random."""

    ingest: type[Ingest] = Ingest
    keyed: type[Keyed] = Keyed

    def __init__(
        self, rules: Ruleset, partitions: int, random: Random, crash: float, batch: int
    ) -> None:
        self.partitions, self.random, self.crash, self.batch = partitions, random, crash, batch
        routes = Routes(rules)
        raw = {f"{name}/{p}": None for name in LATENESS for p in range(partitions)}
        self.stages = build(rules, routes, raw, partitions)
        for stage in self.stages.values():
            stage.__class__ = self.keyed
        matchers = Matchers(rules.rules)
        self.raw = {
            n: self.ingest(n, matchers, routes, SOURCES.__getitem__, None, Limits()) for n in raw
        }
        self.progress = {name: Progress() for name in raw}
        self.lanes: dict[str, deque[Any]] = {}
        self.inbox: dict[tuple[str, str], deque[Any]] = {
            (name, feeder): deque()
            for name, stage in self.stages.items()
            for feeder in stage.clock.ticks
        }
        self.results: dict[tuple[str, str], Result] = {}
        self.revisions = self.withdrawn = 0

    def run(self, lanes: dict[str, Lane], end: int) -> None:
        self.lanes = {name: deque([*lane, END]) for name, lane in lanes.items()}
        self.end = START + end * SECOND
        while True:
            ready: list[Any] = [n for n, lane in self.lanes.items() if lane]
            ready += [place for place, box in self.inbox.items() if box]
            if not ready:
                return
            chosen = self.random.choice(ready)
            if isinstance(chosen, str):
                self._ingest(chosen)
            else:
                self._step(*chosen)

    def _ingest(self, name: str) -> None:
        lane, stage = self.lanes[name], self.raw[name]
        mark = lane[0]
        if isinstance(mark, int):
            lane.popleft()
            time = START + mark * SECOND if mark != END else END
            tick = Tick(name, 0, time, self.end if time == END else time)
            self.progress[name], outputs = stage.tick(self.progress[name], tick)
            self._send(name, outputs)
            return
        size = self.random.randint(1, self.batch)
        records = list(takewhile(is_object, islice(lane, size)))
        for _ in records:
            lane.popleft()
        chunk = Chunk(name.partition("/")[0], name, [orjson.dumps(r) for r in records], None, None)
        if self.random.random() < self.crash:
            stage.step(self.progress[name], chunk)  # thrown away before it was saved
        self.progress[name], outputs = stage.step(self.progress[name], chunk)
        self._send(name, outputs)

    def _step(self, name: str, feeder: str) -> None:
        box, stage = self.inbox[name, feeder], self.stages[name]
        size = min(len(box), self.random.randint(1, self.batch))
        if self.random.random() < self.crash:
            stage.step([box[i] for i in range(min(len(box), self.random.randint(1, self.batch)))])
            for key in list(stage.slots)[:3]:  # what was saved is what is loaded again
                stage.slots[key] = Slot.load(stage.slots[key].dump(tail=True), stage.logic)
        changes, outputs = stage.step([box[i] for i in range(size)])
        stage.apply(changes)
        for _ in range(size):
            box.popleft()
        self._send(name, outputs)

    def _send(self, sender: str, outputs: Sequence[Output]) -> None:
        for output in outputs:
            if isinstance(output, Tick):
                for name, feeder in self.inbox:
                    if feeder == sender:
                        self.inbox[name, feeder].append(output)
            elif isinstance(output, Result):
                self._result(output)
            else:
                owner = stage_of(output)
                single = owner == "inventory"
                place = f"{owner}/{0 if single else partition_of(output.key, self.partitions)}"
                self.inbox[place, sender].append(output)

    def _result(self, result: Result) -> None:
        if result.kind in ("finding", "alert", "forecast", "system", "asset", "edge", "fact"):
            self.revisions += 1
            self.withdrawn += result.state == "withdrawn"
            self.results[result.kind, result.id] = result

    def final(self) -> dict[tuple[str, str], str]:
        """body_sha256 (or the body) of every final result that a keyed stage says."""
        unsettled = [r for r in self.results.values() if r.state in ("provisional", "settled")]
        assert not unsettled, unsettled
        return {
            key: r.body.get("body_sha256") or orjson.dumps(r.body).decode()
            for key, r in self.results.items()
            if r.state == "final"
        }


class Storm(NamedTuple):
    """How nasty a run is; the defaults are the undisturbed reference."""

    partitions: int = 1
    disorder: float = 0
    copies: float = 0
    idle: bool = False
    crash: float = 0
    batch: int = 10**6


CALM = Storm()


def play(
    cluster: type[Cluster],
    rules: Ruleset,
    events: Sequence[dict[str, Any]],
    end: int,
    random: Random,
    storm: Storm = CALM,
) -> Cluster:
    """One run."""
    played = cluster(rules, storm.partitions, random, storm.crash, storm.batch)
    lanes = arrivals(
        events, storm.partitions, random, storm.disorder, storm.copies, idle=storm.idle
    )
    played.run(lanes, end)
    return played


def trial(
    cluster: type[Cluster],
    rules: Ruleset,
    seed: int,
    runs: int = 4,
    happen: Callable[[Random, int], list[dict[str, Any]]] = workload,
) -> dict[str, int]:
    """One random estate, one reference run, some nasty ones; `bad` have other final results."""
    random = Random(seed)
    events = happen(random, random.choice([12, 40, 90]))
    end = max(e["time"] for e in events) + random.choice([0, 0, 70, 1000])
    want = play(Cluster, rules, events, end, Random(0)).final()
    got = {"bad": 0, "runs": 0, "results": len(want), "withdrawn": 0, "revisions": 0}
    for run in range(runs):
        storm = Storm(
            partitions=random.choice([1, 4]),
            disorder=random.choice([0.3, 1.0]),
            copies=random.choice([0, 0.3]),
            idle=random.random() < 0.5,
            crash=random.choice([0, 0.1]),
            batch=random.choice([1, 7, 50]),
        )
        played = play(cluster, rules, events, end, Random(seed * 10 + run), storm)
        got["runs"] += 1
        got["bad"] += played.final() != want
        got["withdrawn"] += played.withdrawn
        got["revisions"] += played.revisions
    return got
