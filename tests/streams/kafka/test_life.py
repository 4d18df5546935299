"""A life in the group: what it knows while the group changes."""

from __future__ import annotations

from typing import Any, cast

from aiokafka import TopicPartition

from schemas.config import KafkaConfig
from streams.kafka.life import Figures, Job, Life


async def test_an_input_that_the_group_has_taken_has_no_end() -> None:
    """It may be taken while somebody asks for the lag: no reason to end the worker."""
    never = cast("Any", None)
    job = Job("correlate", ["raw"], "group", lambda _: "raw-0", never, never, 100)
    life = Life(KafkaConfig(bootstrap="127.0.0.1:9"), job, never, Figures())
    assert life._end(TopicPartition("raw", 0)) is None  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    await life._farewell()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
