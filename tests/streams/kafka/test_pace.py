"""A pace: steps as large as they may be, whatever their records cost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from itertools import pairwise

import pytest

from streams.kafka.pace import EXPECTED, LONGEST, SESSION, Pace, Processor

BATCH = 5_000


def steps(pace: Pace, cost: Callable[[int], float], count: int) -> list[tuple[int, float]]:
    """The records and the seconds of each of `count` steps with a backlog."""
    told: list[tuple[int, float]] = []
    for _ in range(count):
        records = pace.records
        told.append((records, cost(records)))
        pace.took(*told[-1])
    return told


def by_record(seconds: float) -> Callable[[int], float]:
    return lambda records: seconds * records


def test_a_cheap_batch_is_whole_after_some_steps() -> None:
    told = steps(Pace(BATCH), by_record(0.000_02), 9)
    assert [records for records, _ in told] == [1, 64, 4096, *[BATCH] * 6]


@pytest.mark.parametrize("each", [0.001, 0.007, 0.1, 0.9])
def test_a_step_takes_what_it_may_and_no_longer(each: float) -> None:
    told = steps(Pace(BATCH), by_record(each), 30)
    assert max(seconds for _, seconds in told) <= EXPECTED + each
    assert [records for records, _ in told[-9:]] == [int(EXPECTED / each + 1e-9)] * 9


@pytest.mark.parametrize("each", [1.9, 2.5, 3.9, 7.0])
def test_dear_records_come_one_or_two_at_a_time(each: float) -> None:
    told = steps(Pace(BATCH), by_record(each), 30)
    assert max(seconds for _, seconds in told) < SESSION
    assert {records for records, _ in told} <= {1, 2}


@pytest.mark.parametrize("fixed", [1.5, 2.5, 3.5])
def test_what_a_step_costs_whatever_it_takes_makes_no_small_steps(fixed: float) -> None:
    """Else a partition that folds one key of many rows anew would get on by a record at a time."""
    told = steps(Pace(BATCH), lambda records: fixed + 0.000_02 * records, 60)
    assert max(seconds for _, seconds in told) < SESSION
    assert all(records == BATCH for records, _ in told[-9:])


def test_who_has_grown_dear_takes_less_and_who_has_grown_cheap_takes_more() -> None:
    pace = Pace(BATCH)
    steps(pace, by_record(0.0004), 20)
    assert pace.records == BATCH
    told = steps(pace, by_record(0.0015), 20)
    assert [seconds for _, seconds in told[:2]] == [pytest.approx(7.5), pytest.approx(2.0, 0.01)]
    assert all(seconds <= LONGEST for _, seconds in told[1:])
    steps(pace, by_record(0.0004), 20)
    assert pace.records == BATCH


def test_a_step_of_nothing_and_a_batch_of_one() -> None:
    pace = Pace(BATCH)
    pace.took(0, 9.0)
    assert pace.records == 1
    assert {records for records, _ in steps(Pace(1), by_record(0.001), 9)} == {1}


async def test_others_have_a_turn_between_two_long_steps() -> None:
    """The heartbeats of groups are some of them: all steps of a worker may be due at once."""
    processor, beats, blocked = Processor(), 0, 0.2

    async def heart() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.001)
            beats += 1

    beating = asyncio.create_task(heart())
    heard: list[int] = []

    async def work() -> None:
        async with processor.turn():
            time.sleep(blocked)  # noqa: ASYNC251 - as a step does
            heard.append(beats)

    await asyncio.gather(*(work() for _ in range(4)))
    beating.cancel()
    assert all(after - before > 1 for before, after in pairwise(heard))
