"""A life and its pace: how much a step takes, and how long the next one waits."""

from __future__ import annotations

import asyncio
import time

import pytest

from infra.dev.broker import Broker
from streams.kafka import life as driving
from streams.kafka.part import Fetched, Step
from tests.streams.kafka.living import Recorder, Stage, consumer, living, rebalances, soon


@pytest.mark.kafka
async def test_a_batch_that_computes_for_longer_than_the_session_loses_no_partitions(
    broker: Broker, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else whoever is given them takes as large a step, and nobody gets on."""
    monkeypatch.setattr(driving, "SESSION", 6.0)  # no broker takes less
    step = Recorder.step

    def slow(self: Recorder, fetched: Fetched, empty: int | None = None) -> Step | None:
        time.sleep(0.9 * sum(map(len, fetched.values())))
        return step(self, fetched, empty)

    monkeypatch.setattr(Recorder, "step", slow)
    stage = Stage(broker, prefix, ["in"], 1)
    values = [b"%d" % number for number in range(9)]
    await stage.write(*values)
    life = stage.life()
    async with living(life):
        await soon(lambda: len(stage.taken()) == len(values))
        assert await consumer(life)._coordinator._do_heartbeat()  # noqa: SLF001
        assert rebalances(life) == 1
    assert stage.taken() == values


@pytest.mark.kafka
async def test_behind_a_small_step_the_next_one_waits_as_long_as_its_stage_says(
    broker: Broker, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    usual = asyncio.sleep

    async def brief(seconds: float, result: object = None) -> object:
        slept.append(seconds)
        return await usual(min(seconds, 0.02), result)

    monkeypatch.setattr(asyncio, "sleep", brief)
    stage = Stage(broker, prefix, ["in"], 1)
    life = stage.life(pause=3600.0)
    async with living(life):
        await stage.write(b"1")  # the first step takes one, and is as large as it may be
        await soon(lambda: stage.taken() == [b"1"])
        assert max(slept) < 1800
        await stage.write(b"2")
        await soon(lambda: max(slept) > 1800)
        await stage.write(b"3")
        await soon(lambda: stage.taken() == [b"1", b"2", b"3"])
