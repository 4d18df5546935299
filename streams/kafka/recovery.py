"""Recovery: what a partition that was just assigned reads before its first step."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from aiokafka import TopicPartition

from schemas.config import KafkaConfig
from schemas.errors import Unavailable
from streams.kafka.connection import client, hang_up
from streams.kafka.light import as_decoded
from streams.kafka.part import Part, Received
from streams.kafka.untyped import Consumer

PATIENCE: Final = 60.0  # seconds in which nothing comes, before the stage begins anew
_AT_ONCE: Final = 1_000  # records that are taken before others have a turn: heartbeats, too

Take = Callable[[TopicPartition, Sequence[Received]], None]


class Recovery:
    """Reads state topics to their ends, then what is unsettled of the inputs; one at a time."""

    def __init__(self, config: KafkaConfig) -> None:
        # What is deleted before it is read is an error; by default a reader goes on behind it all.
        settings = {"enable_auto_commit": False, "auto_offset_reset": "none"}
        shared = {**client(config), **settings, "fetch_max_wait_ms": 50}
        self._reader = Consumer(
            **shared, isolation_level="read_committed", key_deserializer=as_decoded
        )
        # The end of a topic as it is, behind transactions of others that are still open: what we
        # saved last may lie behind where such a one began.
        self._ends = Consumer(**shared, isolation_level="read_uncommitted")
        self._turn = asyncio.Lock()
        self.records = 0  # read so far
        self.left = 0  # to be read of what is being read now

    async def start(self) -> None:
        """Connect."""
        await self._reader.start()
        await self._ends.start()

    async def stop(self) -> None:
        """Hang up, within a bound."""
        await asyncio.gather(hang_up(self._reader), hang_up(self._ends))

    async def recover(self, parts: Sequence[Part]) -> dict[str, int]:
        """Restore parts whose old owners are fenced; their positions are known then.

        Returns by name how many records of an input were deleted before they were read. Raises
        Unavailable where that must not be: between stages, and where a topic was made anew.
        """
        async with self._turn:
            states = await self.values({part.state for part in parts})
            for part in parts:
                for _ in part.restore(states[part.state].items()):
                    await asyncio.sleep(0)
            lost = await self._place(parts)
            await self._reread(parts)
        return lost

    async def values(
        self, places: Iterable[TopicPartition]
    ) -> dict[TopicPartition, dict[bytes, bytes]]:
        """What lies in partitions of compacted topics, by key."""
        states: dict[TopicPartition, dict[bytes, bytes]] = {place: {} for place in places}
        ends = await self._ends.end_offsets(list(states))
        await self._read(await self._ends.beginning_offsets(list(states)), ends, _into(states))
        return states

    async def _place(self, parts: Sequence[Part]) -> dict[str, int]:
        """Hold what was saved against what the inputs still have."""
        inputs = [tp for part in parts for tp in part.inputs]
        begins = await self._ends.beginning_offsets(inputs)
        ends = await self._ends.end_offsets(inputs)
        lost: dict[str, int] = {}
        for part in parts:
            for tp in part.inputs:
                saved = part.positions.setdefault(tp, begins[tp])
                again = part.again.setdefault(tp, saved)
                if saved > ends[tp]:
                    raise Unavailable(
                        f"{tp.topic}/{tp.partition} ends at {ends[tp]} and was read up to {saved}:"
                        " it was made anew; use a new kafka.prefix, which reads all of it"
                    )
                if again >= begins[tp]:
                    continue
                if part.between:
                    raise Unavailable(
                        f"{tp.topic}/{tp.partition} begins at {begins[tp]} and is needed from"
                        f" {again} on: raise kafka.retention, and replay into a new kafka.prefix"
                    )
                lost[part.name] = begins[tp] - saved
                part.positions[tp] = part.again[tp] = begins[tp]
        return lost

    async def _reread(self, parts: Sequence[Part]) -> None:
        owner = {tp: part for part in parts for tp in part.inputs}
        starts = {
            tp: part.again[tp] for tp, part in owner.items() if part.again[tp] < part.positions[tp]
        }
        ends = {tp: owner[tp].positions[tp] for tp in starts}

        def take(tp: TopicPartition, records: Sequence[Received]) -> None:
            known = [record for record in records if record.offset < ends[tp]]
            if known:
                owner[tp].reread({tp: known})

        await self._read(starts, ends, take)

    async def _read(
        self, starts: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int], take: Take
    ) -> None:
        open_: set[TopicPartition] = {tp for tp, start in starts.items() if start < ends[tp]}
        if not open_:
            return
        self._reader.assign(sorted(open_))
        for tp in open_:
            self._reader.seek(tp, starts[tp])
        positions, moved = dict(starts), time.monotonic()
        while open_:
            fetched: dict[Any, Any] = await self._reader.getmany(
                *open_, timeout_ms=200, max_records=_AT_ONCE
            )
            before = positions
            positions = {tp: await self._reader.position(tp) for tp in open_}
            if any(positions[tp] > before[tp] for tp in open_):
                moved = time.monotonic()
            elif time.monotonic() - moved > PATIENCE:
                raise _stuck(min(open_), positions[min(open_)])
            for tp, records in fetched.items():
                take(tp, records)
                self.records += len(records)
                await asyncio.sleep(0)
            self.left = sum(max(0, ends[tp] - positions[tp]) for tp in open_)
            open_ = {tp for tp in open_ if positions[tp] < ends[tp]}
        self._reader.unsubscribe()


def _stuck(tp: TopicPartition, position: int) -> Unavailable:
    return Unavailable(
        f"{tp.topic}/{tp.partition} cannot be read behind {position}: a transaction is open there;"
        " if this stays, kafka-transactions.sh find-hanging names it and abort ends it"
    )


def _into(states: Mapping[TopicPartition, dict[bytes, bytes]]) -> Take:
    def take(tp: TopicPartition, records: Sequence[Received]) -> None:
        values = states[tp]
        for record in records:
            if record.value is None:
                values.pop(record.key or b"", None)
            else:
                values[record.key or b""] = record.value

    return take
