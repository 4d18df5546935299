"""Job: what a stage is to a worker, and what it has counted there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from aiokafka import TopicPartition

from streams.kafka.light import PART_BYTES
from streams.kafka.pace import PAUSE
from streams.kafka.part import Part

Work = Callable[[], Awaitable[None]]
HandOver = Callable[[Work], Awaitable[None]]  # gives work to an agent; returns when it is accepted


class Job(NamedTuple):
    """What a stage is to a worker.

    `topics` and `group` with the prefix. `part_of` names the part that an input partition belongs
    to, `make` makes one. `checked` is asked at each assignment, and raises where this worker must
    not go on. `batch`: records of one step, at most. `together`: a part has an input in each topic,
    by the same number, and all of them must come to one worker. `pause`: seconds from a small step
    of a part to the next one. `part_bytes`: of one partition in an answer of a broker, at most.
    """

    stage: str
    topics: Sequence[str]
    group: str
    part_of: Callable[[TopicPartition], str]
    make: Callable[[str], Part]
    checked: Callable[[], Awaitable[None]]
    batch: int
    together: bool = False
    pause: float = PAUSE
    part_bytes: int = PART_BYTES


class Figures:
    """What a stage has counted since the process began: records, steps, seconds."""

    def __init__(self) -> None:
        self.records = self.sent = self.steps = self.rebalances = self.lives = 0
        self.lost = self.reread = self.refused = 0
        self.computing = self.saving = self.recovering = 0.0
