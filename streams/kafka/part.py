"""Part: one partition of one stage as the driver runs it: what it reads, keeps and sends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

import msgspec
from aiokafka import TopicPartition

from schemas.times import SECOND
from streams.kafka.wire import Headers, Record

TICK: Final = SECOND  # between two Ticks about nothing else: each goes to every partition


class Received(Protocol):
    """A record as it was read; `timestamp` in milliseconds."""

    @property
    def offset(self) -> int: ...  # noqa: D102 - fields
    @property
    def timestamp(self) -> int: ...  # noqa: D102
    @property
    def key(self) -> bytes | None: ...  # noqa: D102
    @property
    def value(self) -> bytes | None: ...  # noqa: D102
    @property
    def headers(self) -> Headers: ...  # noqa: D102


Fetched = Mapping[TopicPartition, Sequence[Received]]


class Sent(msgspec.Struct, frozen=True, gc=False):
    """A record and the partition of one of our topics (without prefix) that it goes to."""

    topic: str
    partition: int
    record: Record


class Step(NamedTuple):
    """What one transaction saves: records, then the positions behind what was read.

    `refused`: how many of the records tell of rows between stages that were refused.
    """

    records: Sequence[Sent]
    positions: Mapping[TopicPartition, int]
    refused: int = 0


class Part(Protocol):
    """The order of calls: all of `restore`, `reread` until the positions are reached, then steps.

    A step may change the part at once: a part whose step was not saved is thrown away, and a new
    one restored.
    """

    name: str
    between: bool  # its inputs are written by other stages: none of their records may be missing
    inputs: tuple[TopicPartition, ...]
    state: TopicPartition  # its own state lies there, perhaps beside that of others
    positions: dict[TopicPartition, int]  # behind what is saved; empty: from the first record on
    again: dict[TopicPartition, int]  # from where to read again at a start

    @property
    def transactional_id(self) -> str:
        """The name by which a new owner fences the old one, without the prefix."""
        ...

    @property
    def reached(self) -> int | None:
        """How far time has come here, in microseconds; None if that holds nobody up."""
        ...

    @property
    def ended(self) -> bool:
        """True if time has come to its end here: no row will come any more."""
        ...

    def restore(self, records: Iterable[tuple[bytes, bytes]]) -> Iterator[None]:
        """Continue from what the state topic holds; others may have a turn at each `yield`."""
        ...

    def reread(self, fetched: Fetched) -> None:
        """Take what lies between `again` and `positions` once more, without output."""
        ...

    def step(self, fetched: Fetched, empty: int | None = None) -> Step | None:
        """Take records, perhaps none; None if there is nothing to save.

        `empty`: the wall clock, in microseconds, at which the brokers had no more than was read.
        """
        ...
