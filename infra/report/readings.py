"""Readings: the priority and stage of each system over time, from what was stored of its alerts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple, cast

from correlators.score import priority
from infra.terminal.conditions import gravest
from schemas.alert import STAGES, Alert, Stage
from schemas.times import instant

# How a timeline says a stage: `watch: what held`, `outlook -> watch: what held`.
_SAYS_STAGE = re.compile(rf"(?:\w+ -> )?({'|'.join(STAGES)}): ")


class Reading(NamedTuple):
    """Priority and stage of a system from `time` on: those of its gravest alerts; None is calm."""

    system: str
    time: int
    priority: int
    stage: Stage | None


class _Turn(NamedTuple):
    """From `time` on an alert has this priority and stage; a stage of None ends it."""

    system: str
    time: int
    alert: str
    priority: int
    stage: Stage | None


def readings(alerts: Sequence[Alert], scores: Iterable[Mapping[str, Any]]) -> list[Reading]:
    """By system and time. `scores` are the sums of stored ledgers: alert, revision, time, total."""
    totals: dict[str, dict[int, int]] = {}
    for row in sorted(scores, key=lambda row: row["revision"]):
        totals.setdefault(str(row["alert"]), {})[instant(row["time"])] = int(row["total"])
    turns = [turn for alert in alerts for turn in _turns(alert, totals.get(alert.id, {}))]
    turns.sort(key=lambda t: (t.system, t.time, t.stage is None))
    return [r for system, some in groupby(turns, lambda t: t.system) for r in _of(system, some)]


def _turns(alert: Alert, totals: Mapping[int, int]) -> Iterator[_Turn]:
    said: list[tuple[int, Stage]] = [
        (moment.time, cast("Stage", found[1]))
        for moment in alert.timeline
        if (found := _SAYS_STAGE.match(moment.text))
    ]
    for time in sorted({*totals, alert.last_time}):
        value = priority(totals[time]) if time in totals else alert.priority
        stages: list[Stage] = [alert.stage, *(stage for since, stage in said if since <= time)]
        yield _Turn(alert.system, time, alert.id, value, stages[-1])
    if alert.status != "open":
        end = max([moment.time for moment in alert.timeline] or [alert.last_time])
        yield _Turn(alert.system, end, alert.id, 0, None)


def _of(system: str, turns: Iterable[_Turn]) -> Iterator[Reading]:
    standing: dict[str, tuple[int, Stage]] = {}
    for time, now in groupby(turns, lambda turn: turn.time):
        for turn in now:
            if turn.stage is None:
                standing.pop(turn.alert, None)
            else:
                standing[turn.alert] = turn.priority, turn.stage
        yield Reading(
            system,
            time,
            max((value for value, _ in standing.values()), default=0),
            gravest(stage for _, stage in standing.values()),
        )
