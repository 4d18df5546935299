"""Outbound: where the outputs of a stage go, as records of partitions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from schemas.rows import Output, Result, Tick
from schemas.topics import HISTORY, INVENTORY
from streams.kafka import wire
from streams.kafka.part import Sent
from streams.topology import INGEST, Fed, partition_of, topic_between

Stamp = Callable[[Sequence[Result]], Sequence[Result]]


class Outbound:
    """The outputs of one partition of a stage, or of one raw input, as records.

    `ticks`: the topics that its Ticks go to, each to all partitions and behind the rows. `own`: the
    partition of the history that it writes to; one id comes of one stage and key, so it stays there
    in order, and a transaction costs by the partitions that it writes to. `partitions`: of each of
    our topics but one.
    """

    def __init__(self, ticks: Iterable[str], partitions: int, own: int = 0) -> None:
        self._ticks = tuple(ticks)
        self.partitions, self._own = partitions, own

    def sent(
        self, outputs: Iterable[Output], raw: Callable[[str], bytes] = lambda _: b""
    ) -> Iterator[Sent]:
        """The records, in order. `raw` gives the bytes of a refused record by its origin."""
        for output in outputs:
            if type(output) is Result:
                yield self._result(output, raw)
            elif type(output) is Tick:
                record = wire.tick(output)
                for topic in self._ticks:
                    for partition in range(self._count(topic)):
                        yield Sent(topic, partition, record)
            else:
                partition = partition_of(output.key, self._count(output.topic))
                yield Sent(output.topic, partition, wire.row(output))

    def _result(self, output: Result, raw: Callable[[str], bytes]) -> Sent:
        topic = wire.topic_of(output.kind)
        if topic == HISTORY:
            return Sent(topic, self._own, wire.result(output))
        refused = output.kind == "reject"
        record = wire.dead_letter(output, raw(output.id)) if refused else wire.result(output)
        return Sent(topic, partition_of(output.id, self.partitions), record)

    def _count(self, topic: str) -> int:
        return 1 if topic == INVENTORY else self.partitions


def tick_topics(feds: Sequence[Fed]) -> Mapping[str, tuple[str, ...]]:
    """By name of an upstream partition or raw input, the topics in which somebody waits for it."""
    found: dict[str, dict[str, None]] = {}
    for one in feds:
        for name in one.inputs:
            feeder = _stage(name, feds)
            found.setdefault(name, {})[topic_between(feeder, one.stage.name)] = None
    return {name: tuple(topics) for name, topics in found.items()}


def _stage(name: str, feds: Sequence[Fed]) -> str:
    stage = name.rpartition("/")[0]
    return stage if any(one.stage.name == stage for one in feds) else INGEST
