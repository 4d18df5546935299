"""RawPart: a partition of a raw topic behind the ingest stage, with its own place in time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Final, NamedTuple

import msgspec
from aiokafka import TopicPartition

from schemas.config import Encoding
from schemas.rows import Output, Tick
from schemas.times import BEGINNING, END, SECOND
from streams.ingest import Ingest, Progress
from streams.input import Arrivals, Chunk
from streams.kafka.encoding import document
from streams.kafka.outbound import Outbound
from streams.kafka.part import TICK, Fetched, Received, Sent, Step
from streams.kafka.state import Saved
from streams.records.documents import Fault
from streams.source import Unreadable
from streams.trace import Message as Lies
from streams.trace import place

_KEY: Final = b"input/"  # before a name, in the state topic
QUIET: Final = 5 * SECOND  # without a record at its end, a partition of a run with an end is over


class RawInput(NamedTuple):
    """A partition of a raw topic, and what is known of its records.

    `lateness` and `idle` in microseconds; `since`: time had come so far when it was declared.
    """

    topic: str
    partition: int
    source: str
    encoding: Encoding
    lateness: int
    idle: int
    since: int = BEGINNING

    @property
    def name(self) -> str:
        """Its name in Ticks."""
        return f"{self.topic}/{self.partition}"


class _Saved(msgspec.Struct, array_like=True, frozen=True):
    position: int
    progress: Progress


def progress_of(values: Mapping[bytes, bytes]) -> dict[str, Progress]:
    """Where the raw partitions stand, by name, from values of their state topic."""
    return {
        key.removeprefix(_KEY).decode(): msgspec.msgpack.decode(value, type=_Saved).progress
        for key, value in Saved().loaded(values.items())
    }


class RawPart:
    """`clock`: the wall clock in microseconds, which becomes Ticks of an idle partition.

    With `until` the partition is over once it has been quiet at its end.
    """

    between = False

    def __init__(
        self,
        input_: RawInput,
        ingest: Ingest,
        outbound: Outbound,
        state: TopicPartition,
        clock: Callable[[], int],
        until: int | None = None,
    ) -> None:
        self.name = input_.name
        self.inputs = (TopicPartition(input_.topic, input_.partition),)
        self.state = state
        self.positions: dict[TopicPartition, int] = {}
        self.again: dict[TopicPartition, int] = {}
        self.progress = Progress(watermark=input_.since)
        self._input, self._ingest, self._outbound = input_, ingest, outbound
        self._clock, self._until = clock, until
        self._saved = Saved()
        self._key = _KEY + self.name.encode()
        self._active = self._ticked = clock()

    @property
    def transactional_id(self) -> str:
        """One for each raw partition."""
        return f"ingest-{self._input.topic}-{self._input.partition}"

    @property
    def reached(self) -> int:
        """Its watermark, which all stages behind it wait for."""
        return self.progress.watermark

    @property
    def ended(self) -> bool:
        """True once time has come to its end here."""
        return self.progress.watermark == END

    def restore(self, records: Iterable[tuple[bytes, bytes]]) -> Iterator[None]:
        """Continue where the last transaction ended; it is quickly done."""
        mine = [(key, value) for key, value in records if key == self._key]
        found = dict(self._saved.loaded(mine)).get(self._key)
        if found is not None:
            saved = msgspec.msgpack.decode(found, type=_Saved)
            self.progress = saved.progress
            self.positions = self.again = {self.inputs[0]: saved.position}
        yield

    def reread(self, fetched: Fetched) -> None:
        """Nothing is kept of records."""

    def step(self, fetched: Fetched, empty: int | None = None) -> Step | None:
        """Ingest records, or let time pass where none come.

        Only where the brokers have none: a partition is not idle because we, or they, were away.
        """
        records = fetched.get(self.inputs[0], ())
        if records:
            self._active = self._clock()
            return self._taken(records)
        return self._idle(empty)

    def _taken(self, records: Sequence[Received]) -> Step:
        outputs: list[Output] = []
        for chunk in self._chunks(records):
            self.progress, told = self._ingest.step(self.progress, chunk)
            outputs += told
        self.positions = {self.inputs[0]: records[-1].offset + 1}
        return self._step(outputs, lambda origin: _value(records, origin))

    def _idle(self, empty: int | None) -> Step | None:
        now = self._clock()
        # Else a clock that is set back makes it wait for that.
        self._active = min(self._active, now)
        if 0 <= now - self._ticked < TICK:
            return None
        tick = Tick(self.name, 0, BEGINNING, BEGINNING)
        if empty is not None:
            quiet = empty - self._active
            if self._until is not None:
                if quiet > QUIET and not self.ended:
                    tick = Tick(self.name, 0, END, max(self._until, self.progress.latest))
            elif quiet > self._input.idle:
                self._active = empty
                watermark = empty - self._input.lateness
                tick = Tick(self.name, 0, watermark, watermark)
        self.progress, outputs = self._ingest.tick(self.progress, tick)
        if not outputs:
            return None
        return self._step(outputs, lambda _: b"")

    def _step(self, outputs: list[Output], raw: Callable[[str], bytes]) -> Step:
        self._hold_back(outputs)
        sent = list(self._outbound.sent(outputs, raw))
        position = self.positions.get(self.inputs[0], 0)
        saved = msgspec.msgpack.encode(_Saved(position, self.progress))
        for record in self._saved.changes({self._key: saved}):
            sent.append(Sent("ingest-state", self.state.partition, record))  # noqa: PERF401
        return Step(sent, dict(self.positions))

    def _hold_back(self, outputs: list[Output]) -> None:
        """A Tick soon after the last one is told later; the last of several says it all."""
        ticks = [output for output in outputs if type(output) is Tick]
        if not ticks:
            return
        last = ticks[-1]
        outputs[:] = [output for output in outputs if type(output) is not Tick]
        now = self._clock()
        if last.watermark == END or not 0 <= now - self._ticked < TICK:
            outputs.append(last)
            self._ticked = now
        else:
            self.progress = msgspec.structs.replace(self.progress, told=BEGINNING)

    def _chunks(self, records: Sequence[Received]) -> Iterator[Chunk]:
        origin = f"kafka:{self._input.topic}/{self._input.partition}"
        source = self._input.source
        if self._input.encoding == "json":  # the usual one: nothing to decode, nothing to refuse
            values = [record.value or b"" for record in records]
            yield Chunk(source, origin, values, None, None, messages=_arrivals(records))
            return
        documents: list[bytes] = []
        for place_, record in enumerate(records):
            found = self._decoded(record.value or b"")
            if isinstance(found, Fault):
                before = records[place_ - len(documents) : place_]
                yield Chunk(source, origin, documents, None, None, messages=_arrivals(before))
                alone = _arrivals([record])
                yield Chunk(source, origin, [], None, None, fault=found, messages=alone)
                documents = []
            else:
                documents.append(found)
        last = records[len(records) - len(documents) :]
        yield Chunk(source, origin, documents, None, None, messages=_arrivals(last))

    def _decoded(self, value: bytes) -> bytes | Fault:
        try:
            return document(value, self._input.encoding)
        except Unreadable as error:
            return Fault(error.reason, error.detail, sha256(value).hexdigest(), len(value))


def _arrivals(records: Sequence[Received]) -> Arrivals:
    return Arrivals([one.offset for one in records], [one.timestamp for one in records])


def _value(records: Sequence[Received], origin: str) -> bytes:
    """The bytes of the message that a record came in."""
    where, _ = place(origin)
    if not isinstance(where, Lies):
        return b""
    found = bisect_left(records, where.offset, key=lambda record: record.offset)
    here = found < len(records) and records[found].offset == where.offset
    return (here and records[found].value) or b""
