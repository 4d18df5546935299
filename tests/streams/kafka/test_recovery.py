"""Recovery: what is deleted while it is read."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import OffsetOutOfRangeError
from kafka import KafkaAdminClient

from infra.dev.broker import Broker
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
