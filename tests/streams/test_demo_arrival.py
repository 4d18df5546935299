"""The demo through the nasty driver: the same final results, however its records arrive."""

from __future__ import annotations

import os
from collections import deque
from random import Random

import pytest

from correlators.routes import Routes
from correlators.ruleset import Ruleset, builtin, parse
from schemas.config import Limits
from schemas.rows import Tick
from schemas.times import END
from schemas.times import parse as time_of
from streams.ingest import Ingest, Progress
from streams.input import Chunk
from streams.matchers import Matchers
from streams.shuffle import Span, shuffled
from streams.source import named
from streams.topology import build
from tests.streams import demo
from tests.streams.demo import SOURCES, Documents
from tests.streams.nasty import Cluster

RUNS = int(os.environ.get("BAROGRAPH_DEMO_RUNS", "3"))
UNTIL = time_of("2026-03-04T00:00:00Z")


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Documents:
    return demo.documents(tmp_path_factory.mktemp("demo"))


class DemoCluster(Cluster):
    """The demo's sources and rules; lanes are documents."""

    def __init__(
        self, rules: Ruleset, partitions: int, random: Random, crash: float, batch: int
    ) -> None:
        super().__init__(rules, partitions, random, crash, batch)
        routes, matchers = Routes(rules), Matchers(rules.rules)
        raw = {f"{name}/{p}": (name,) for name in SOURCES for p in range(partitions)}
        self.stages = build(rules, routes, raw, partitions)
        self.raw = {n: Ingest(n, matchers, routes, named, None, Limits()) for n in raw}
        self.progress = {name: Progress() for name in raw}
        self.inbox = {
            (name, feeder): deque()
            for name, stage in self.stages.items()
            for feeder in stage.clock.ticks
        }

    def _ingest(self, name: str) -> None:
        lane, stage = self.lanes[name], self.raw[name]
        size = self.random.randint(1, self.batch)
        taken: list[bytes] = []
        while lane and len(taken) < size and isinstance(lane[0], bytes):
            taken.append(lane.popleft())
        if not taken:
            lane.popleft()
            self.progress[name], outputs = stage.tick(
                self.progress[name], Tick(name, 0, END, self.end)
            )
        else:
            chunk = Chunk(name.partition("/")[0], name, taken, None, None)
            if self.random.random() < self.crash:
                stage.step(self.progress[name], chunk)
            self.progress[name], outputs = stage.step(self.progress[name], chunk)
        self._send(name, outputs)

    def play(
        self, documents: Documents, copies: float, disorder: float
    ) -> dict[tuple[str, str], str]:
        """Deliver the documents and run to the end; the final results."""
        lanes: dict[str, list[tuple[int, bytes]]] = {name: [] for name in self.raw}
        for name, pairs in documents.items():
            for pair in pairs:
                for _ in range(1 + (self.random.random() < copies)):
                    lanes[f"{name}/{self.random.randrange(self.partitions)}"].append(pair)
        self.end = UNTIL
        for name, pairs in lanes.items():
            lateness = named(name.partition("/")[0]).LATENESS
            spans = [Span(time, time) for time, _ in pairs]
            order = shuffled(spans, lateness, int(lateness * disorder), self.random)
            self.lanes[name] = deque([*(pairs[i][1] for i in order), END])
        while ready := [
            *(n for n, lane in self.lanes.items() if lane),
            *(place for place, box in self.inbox.items() if box),
        ]:
            chosen = self.random.choice(ready)
            if isinstance(chosen, str):
                self._ingest(chosen)
            else:
                self._step(*chosen)
        assert sum(progress.late for progress in self.progress.values()) == 0
        return self.final()


def test_the_demo_does_not_depend_on_arrival(documents: Documents) -> None:
    rules = parse(builtin())
    want = DemoCluster(rules, 1, Random(0), 0, 10**6).play(documents, 0, 0)
    kinds = {"finding", "alert", "forecast", "system", "asset", "edge", "fact"}
    assert {kind for kind, _ in want} == kinds
    for seed in range(RUNS):
        random = Random(seed)
        cluster = DemoCluster(
            rules, random.choice([1, 4]), random, random.choice([0, 0.05]), random.choice([20, 300])
        )
        got = cluster.play(documents, random.choice([0, 0.2]), random.choice([0.2, 0.9]))
        assert got == want, f"seed {seed}"
