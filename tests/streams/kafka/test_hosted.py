"""A hosted part: since when its inputs surely held no more than was read."""

from __future__ import annotations

from typing import Any, cast

import pytest
from aiokafka import TopicPartition

from streams.kafka.hosted import Hosted
from tests.streams.kafka.living import Recorder

PLACE = TopicPartition("raw", 0)


class Answers:
    """What a consumer knows of its one partition by the last answer of the brokers."""

    def __init__(self) -> None:
        self.at: int | None = None  # milliseconds
        self.end: int | None = None
        self.read = 5

    def highwater(self, tp: TopicPartition) -> int | None:  # noqa: ARG002 - there is one
        return self.end

    def last_poll_timestamp(self, tp: TopicPartition) -> int | None:  # noqa: ARG002
        return self.at

    async def position(self, tp: TopicPartition) -> int:  # noqa: ARG002
        return self.read


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        pytest.param([(None, None)], [None], id="nothing was asked yet"),
        pytest.param([(1000, 5)], [None], id="an answer may be old"),
        pytest.param([(1000, 5), (1100, 5)], [None, 1000], id="the one before was there then"),
        pytest.param([(1000, 5), (1000, 5)], [None, None], id="the same answer"),
        pytest.param([(1000, 5), (1100, 6)], [None, None], id="more has come"),
        pytest.param(
            [(1000, 6), (1100, 5), (1200, 5)], [None, None, 1100], id="an answer with more"
        ),
        pytest.param(
            [(9000, 5), (1100, 5), (1200, 5)], [None, None, 1100], id="the clock is set back"
        ),
    ],
)
async def test_the_moment_at_which_there_was_no_more(
    answers: list[tuple[int | None, int | None]], expected: list[int | None]
) -> None:
    consumer, never = Answers(), cast("Any", None)
    one = Hosted(Recorder("raw/0", [PLACE], PLACE), never, consumer, 100)
    found: list[int | None] = []
    for consumer.at, consumer.end in answers:
        found.append(await one.empty({}))
    assert found == [None if at is None else at * 1000 for at in expected]


async def test_a_fetch_with_records_says_nothing_of_the_end() -> None:
    consumer, never = Answers(), cast("Any", None)
    one = Hosted(Recorder("raw/0", [PLACE], PLACE), never, consumer, 100)
    consumer.at, consumer.end = 1000, 5
    await one.empty({})
    assert await one.empty({PLACE: [cast("Any", None)]}) is None
    consumer.at = 1100
    assert await one.empty({}) is None
    consumer.at = 1200
    assert await one.empty({}) == 1_100_000
