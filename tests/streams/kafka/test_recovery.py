"""Recovery: what is deleted while it is read, and who has a turn meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import OffsetOutOfRangeError
from kafka import KafkaAdminClient

from infra.dev.broker import Broker
from streams.kafka.part import Fetched
from streams.kafka.recovery import Recovery
from tests.streams.kafka.living import Recorder, Stage

pytestmark = pytest.mark.kafka


async def test_what_is_deleted_before_it_is_read_again_is_not_passed_over(
    broker: Broker, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that are not settled would be missing, and nobody would know."""
    stage = Stage(broker, prefix, ["in"], 1)
    await stage.write(b"1", b"2", b"3")
    place = TopicPartition(stage.topics[0], 0)
    part = Recorder("record/0", [place], TopicPartition(f"{prefix}state", 0))
    part.again, part.positions = {place: 1}, {place: 3}
    recovery = Recovery(stage.config)
    look = recovery._place  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]

    async def late(parts: Any) -> dict[str, int]:  # noqa: ANN401
        lost = await look(parts)
        admin: Any = KafkaAdminClient(**broker.client())
        with closing(admin):  # by age, say
            admin.delete_records({place: 2})
        return lost

    monkeypatch.setattr(recovery, "_place", late)
    await recovery.start()
    with pytest.raises(OffsetOutOfRangeError):
        await recovery.recover([part])
    await recovery.stop()


async def test_others_have_turns_while_a_large_partition_is_recovered(
    broker: Broker, prefix: str
) -> None:
    """The heartbeats of its group are some of them: without, it is given away before its time."""
    stage = Stage(broker, prefix, ["in"], 1)
    await stage.write(*[b"%d" % number for number in range(2_500)])
    place, beats = TopicPartition(stage.topics[0], 0), 0
    heard: list[int] = []

    class Large(Recorder):
        def restore(self, records: object) -> Iterator[None]:  # noqa: ARG002 - a Part's
            for _ in range(3):
                self._compute()
                yield

        def reread(self, fetched: Fetched) -> None:
            self.taken += [record.value for record in fetched[place]]
            self._compute()

        def _compute(self) -> None:
            time.sleep(0.1)
            heard.append(beats)

    async def heart() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0)
            beats += 1

    part = Large("record/0", [place], TopicPartition(f"{prefix}state", 0))
    part.again, part.positions = {place: 0}, {place: 2_500}
    recovery = Recovery(stage.config)
    await recovery.start()
    beating = asyncio.create_task(heart())
    await recovery.recover([part])
    beating.cancel()
    await recovery.stop()
    assert part.taken == [b"%d" % number for number in range(2_500)]
    assert len(heard) >= 6
    assert all(after > before for before, after in pairwise(heard))
