"""The nasty driver over the parts of the Kafka driver and logs in memory instead of a broker.

A step is saved whole or not at all; a part whose step was not saved is thrown away, and a new one
restored from its compacted state and the unsettled rest of its inputs, as after a kill.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice, takewhile
from random import Random
from typing import Any, NamedTuple

import orjson
from aiokafka import TopicPartition

from correlators.routes import Routes
from correlators.ruleset import Ruleset
from correlators.sigma.values import is_object
from schemas.config import Limits
from schemas.rows import Result
from schemas.times import END, SECOND
from streams.ingest import Ingest
from streams.kafka import wire
from streams.kafka.keyed_part import KeyedPart
from streams.kafka.outbound import Outbound, tick_topics
from streams.kafka.part import Fetched, Part, Sent
from streams.kafka.raw_part import RawInput, RawPart
from streams.matchers import Matchers
from streams.outdated import stated
from streams.topology import fed, instances, topic_between
from tests.streams.estate import LATENESS, SOURCES, START
from tests.streams.nasty import Cluster, Lane

PREFIX = "t."
ALWAYS = -(10**18)  # idle at every look
RESULTS = ("findings", "alerts", "history")


class Received(NamedTuple):
    """A record in a log."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: wire.Headers


class LogCluster(Cluster):
    """Parts behind logs, first in first out; all else is random."""

    def __init__(
        self, rules: Ruleset, partitions: int, random: Random, crash: float, batch: int
    ) -> None:
        super().__init__(rules, partitions, random, crash, batch)
        self.rules, self.routes, self.matchers = rules, Routes(rules), Matchers(rules.rules)
        self.now = 0
        self.logs: dict[TopicPartition, list[Received]] = {}
        raw = {f"{PREFIX}raw.{lane}": lane for lane in self.progress}
        self.lane_of = {f"{topic}/0": lane for topic, lane in raw.items()}
        self.feds = fed(rules, self.routes, dict.fromkeys(self.lane_of), partitions)
        self.ticks = tick_topics(self.feds)
        self.over: set[str] = set()
        self.restores = self.reread = 0
        self.parts: dict[str, Part] = {}
        self.owner = {name: one for one in self.feds for name in instances(one.stage, partitions)}
        for name in (*self.lane_of, *self.owner):
            self.parts[name] = self._restored(name)

    def run(self, lanes: dict[str, Lane], end: int) -> None:
        self.lanes = {name: deque([*lane, END]) for name, lane in lanes.items()}
        self.end = START + end * SECOND
        while True:
            ready = [name for name, lane in self.lane_of.items() if self.lanes[lane]]
            ready += [name for name in self.owner if self._waiting(self.parts[name])]
            if not ready:
                self.now += 10 * SECOND  # Ticks that were held back come now
                if not [name for name in self.owner if self._flushed(name)]:
                    break
                continue
            self._turn(self.random.choice(ready))
        self._read_results()

    def _turn(self, name: str) -> None:
        raw = name in self.lane_of
        before = self.lanes[self.lane_of[name]].copy() if raw else deque[Any]()
        fetched = self._arrived(name) if raw else self._fetched(self.parts[name])
        part = self.parts[name]
        if not raw:  # there the clock is what time an idle lane is given
            self.now += self.random.choice([0, SECOND // 2, 2 * SECOND])
        step = part.step(fetched, self.now)
        if self.random.random() < self.crash:  # killed before it was saved
            self.parts[name] = self._restored(name)
            if raw:
                self.lanes[self.lane_of[name]] = before
            return
        if step is not None:
            self._save(step.records)
        if name in self.over:
            assert part.ended

    def _flushed(self, name: str) -> bool:
        step = self.parts[name].step({})
        if step is not None:
            self._save(step.records)
        return step is not None

    def _read_results(self) -> None:
        for tp, log in self.logs.items():
            assert tp.topic != PREFIX + "dead-letters", "a row of ours was refused"
            if tp.topic.removeprefix(PREFIX) in RESULTS:
                for record in log:
                    result = wire.result_of(record.key, record.value, record.headers, 0)
                    assert result is not None
                    self._result(_bare(result))

    # -- raw partitions

    def _arrived(self, name: str) -> Fetched:
        """The next records of a lane; none where time passes, or comes to its end."""
        lane = self.lanes[self.lane_of[name]]
        mark = lane[0]
        if not isinstance(mark, int):
            records = list(takewhile(is_object, islice(lane, self.random.randint(1, self.batch))))
            for _ in records:
                lane.popleft()
            return self._logged(name, [orjson.dumps(record) for record in records])
        lane.popleft()
        if mark == END:
            self.over.add(name)
            self.parts[name] = self._restored(name)
            self.now += 10 * SECOND
        else:
            lateness = LATENESS[name.removeprefix(PREFIX + "raw.").partition("/")[0]]
            self.now = START + (mark + lateness) * SECOND  # the clock jumps as it likes
        return {}

    def _logged(self, name: str, values: Sequence[bytes]) -> Fetched:
        (tp,) = self.parts[name].inputs
        at = len(self.logs.setdefault(tp, []))
        self._save(Sent(tp.topic.removeprefix(PREFIX), 0, wire.Record(None, v)) for v in values)
        return {tp: self.logs[tp][at:]}

    # -- keyed partitions

    def _waiting(self, part: Part) -> bool:
        return any(
            log and log[-1].offset >= part.positions.get(tp, 0)
            for tp in part.inputs
            if (log := self.logs.get(tp))
        )

    def _fetched(self, part: Part) -> Fetched:
        found: dict[TopicPartition, Sequence[Received]] = {}
        for tp in part.inputs:
            size = self.random.randint(0, self.batch)
            position = part.positions.get(tp, 0)
            rest = [record for record in self.logs.get(tp, ()) if record.offset >= position]
            if rest[:size]:
                found[tp] = rest[:size]
        return found

    # -- what is saved

    def _save(self, records: Iterable[Sent]) -> None:
        for sent in records:
            record = sent.record
            log = self.logs.setdefault(TopicPartition(PREFIX + sent.topic, sent.partition), [])
            after = log[-1].offset + 1 if log else 0
            if self.random.random() < 0.1:
                after += self.random.randint(1, 3)  # markers of transactions have offsets too
            log.append(Received(after, -1, record.key, record.value, record.headers))

    def _restored(self, name: str) -> Part:
        part = self._new(name)
        state = {r.key or b"": r.value for r in self.logs.get(part.state, ())}
        list(part.restore((key, value) for key, value in state.items() if value is not None))
        self.restores += 1
        for tp in part.inputs:
            part.positions.setdefault(tp, 0)
            start, end = part.again.setdefault(tp, 0), part.positions[tp]
            unsettled = [r for r in self.logs.get(tp, ()) if start <= r.offset < end]
            while unsettled:
                size = self.random.randint(1, self.batch)
                part.reread({tp: unsettled[:size]})
                unsettled = unsettled[size:]
                self.reread += 1
        return part

    def _new(self, name: str) -> Part:
        outbound = Outbound(self.ticks.get(name, ()), self.partitions)
        if name in self.owner:
            one = self.owner[name]
            topics = dict.fromkeys(topic_between(f, one.stage.name) for f in one.stage.feeders)
            partition = int(name.rpartition("/")[2])
            rules = stated(self.rules)
            return KeyedPart(one, partition, topics, outbound, PREFIX, rules, lambda: self.now)
        topic = name.rpartition("/")[0]
        source = topic.removeprefix(PREFIX + "raw.").partition("/")[0]
        lateness = LATENESS[source] * SECOND
        input_ = RawInput(topic, 0, source, "json", lateness, ALWAYS)
        ingest = Ingest(name, self.matchers, self.routes, SOURCES.__getitem__, None, Limits())
        until = self.end if name in self.over else None
        state = TopicPartition(f"{PREFIX}ingest-state", 0)
        return RawPart(input_, ingest, outbound, state, lambda: self.now, until)


def _bare(result: Result) -> Result:
    body = {key: value for key, value in result.body.items() if key != "meta"}
    return Result(result.kind, result.id, result.time, result.state, body)
