"""What travels between stages: rows as upserts and deletes by id, Ticks, and results for sinks.

Rule R1: a row's time is the event time of the input that made it true; its id is a hash of content.
Rule R2: behind a Tick with watermark w no row with time < w is added, changed or deleted any more.

All are final, so that `type(one) is Row` tells what one is: of a Struct that it is not, isinstance
takes four times as long, and these are asked everywhere.
"""

from __future__ import annotations

from typing import Any, Literal, final

import msgspec

from schemas.finding import State


@final
class Row(msgspec.Struct, frozen=True, array_like=True, tag="row"):
    """An upsert by (topic, level, key, time, id).

    `level` tells the correlation level (0 elsewhere). `body` is JSON.
    """

    topic: str
    level: int
    key: str
    time: int
    id: str
    kind: str
    body: dict[str, Any]


@final
class Delete(msgspec.Struct, frozen=True, array_like=True, tag="delete"):
    """Takes back a row that is not settled yet."""

    topic: str
    level: int
    key: str
    time: int
    id: str


@final
class Tick(msgspec.Struct, frozen=True, array_like=True, tag="tick"):
    """`input` is settled below `watermark`; deadlines before `clock` may fire.

    `input` is a partition of an upstream stage, which writes the Tick to every partition of every
    next topic, behind the rows that it covers.
    """

    input: str
    level: int
    watermark: int
    clock: int


ResultKind = Literal[
    "signal",
    "event",
    "finding",
    "alert",
    "asset",
    "edge",
    "fact",
    "system",
    "forecast",
    "reject",
    "late",
]


@final
class Result(msgspec.Struct, frozen=True, array_like=True, tag="result"):
    """A record for sinks and the store: the newest state of (kind, id).

    `body` is the record without `meta`.
    """

    kind: ResultKind
    id: str
    time: int
    state: State
    body: dict[str, Any]


Output = Row | Delete | Tick | Result
