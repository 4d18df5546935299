"""Hosted: a part while a worker has it: its producer, its inputs at the consumer, its turns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiokafka import TopicPartition

from streams.kafka.alignment import Standing
from streams.kafka.pace import Pace
from streams.kafka.part import Fetched, Part
from streams.kafka.transactions import Transactions


class Hosted:
    """A part between assignment and farewell.

    Partitions may be asked for only while they are the `consumer`'s: it asserts that.
    """

    def __init__(
        self,
        part: Part,
        transactions: Transactions,
        consumer: Any,  # noqa: ANN401 - aiokafka's
        batch: int,
    ) -> None:
        """`batch`: records of one step, at most."""
        self.part, self.transactions = part, transactions
        self.pace = Pace(batch)
        self.ready = asyncio.Event()  # it is recovered, and no rebalance is going on
        self.recovered = False
        self.turn = asyncio.Lock()  # held during a step
        self.loop: asyncio.Task[None] | None = None
        self._consumer = consumer
        # Behind what was read, marks of transactions too.
        self._read: dict[TopicPartition, int] = {}
        self._polled: int | None = None  # when the last fetch that found it empty was answered

    def pause(self) -> None:
        """Nothing is fetched for it any more, and nothing that was fetched is given out."""
        for tp in self.part.inputs:
            self._consumer.pause(tp)

    def resume(self) -> None:
        """It is fetched for again."""
        for tp in self.part.inputs:
            self._consumer.resume(tp)

    def seek(self) -> None:
        """The next fetch begins behind what the part has taken."""
        for tp in self.part.inputs:
            self._consumer.seek(tp, self.part.positions[tp])
        self._read = dict(self.part.positions)

    def behind(self) -> int:
        """Records that lie behind what was read, as far as the last fetch knew."""
        return sum(max(0, (self.end(tp) or 0) - position) for tp, position in self._positions())

    @property
    def standing(self) -> Standing | None:
        """Where it is among those that go side by side; None if it holds nobody up.

        What lies behind a transaction that somebody has left open is nothing that it can read.
        """
        reached = self.part.reached
        if reached is None:
            return None
        stable = ((self._stable(tp) or 0) - position for tp, position in self._positions())
        return Standing(reached, sum(max(0, lag) for lag in stable))

    def end(self, tp: TopicPartition) -> int | None:
        """Where an input ends as far as the last fetch knew; None where it is not ours any more."""
        return _known(self._consumer.highwater, tp)

    @property
    def answered(self) -> float | None:
        """The wall clock, in seconds, of the last answer to a fetch; None before the first."""
        told = (_known(self._consumer.last_poll_timestamp, tp) for tp in self.part.inputs)
        last = max((at for at in told if at is not None), default=None)
        return None if last is None else last / 1000

    async def empty(self, fetched: Fetched) -> int | None:
        """Take note of a fetch; the wall clock at which there surely was no more than it read.

        In microseconds. An answer may be old when we get to read it: we, or the broker, may have
        been paused. But it was asked for after the one before it had been read, and so it is true
        of that moment. Where the clock was set back between them, that moment has no name.
        """
        before, self._polled = self._polled, None
        self._read = {tp: await self._consumer.position(tp) for tp in self.part.inputs}
        if fetched:
            return None
        answered: list[int] = []
        for tp, position in self._read.items():
            end = self.end(tp)
            at = _known(self._consumer.last_poll_timestamp, tp)
            if end is None or at is None or position < end:
                return None
            answered.append(at)
        self._polled = min(answered)
        if before is None or before >= self._polled:
            return None
        return before * 1000

    def _positions(self) -> list[tuple[TopicPartition, int]]:
        return list(self._read.items())  # another thread may ask

    def _stable(self, tp: TopicPartition) -> int | None:
        """Up to where it can be read: to the first transaction that is open."""
        return _known(self._consumer.last_stable_offset, tp)


def _known(ask: Callable[[TopicPartition], int | None], tp: TopicPartition) -> int | None:
    """What aiokafka says of a partition; None where that is not ours any more.

    The group may take it at any moment, and metrics are asked for by another thread: what aiokafka
    asserts cannot be asked before.
    """
    try:
        return ask(tp)
    except AssertionError:
        return None
