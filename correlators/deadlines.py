"""Deadlines: what happens on an AI system next if nothing more comes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import IntEnum
from typing import NamedTuple

from correlators.system import System
from schemas.convergence import Convergence


class Due(IntEnum):
    """What happens; at equal times in this order."""

    ABSENT = 0  # what was waited for did not come
    LEFT = 1  # a hit leaves its window
    EXPIRY = 2  # an alert did not hold for its time to live
    HORIZON = 3  # a forecast did not come true


class Deadline(NamedTuple):
    """`of` is the id of a convergence or a forecast, `join` the join entity of an instance."""

    time: int
    due: Due
    of: str
    join: str = ""


def earliest(
    system: System, convergences: Mapping[str, Convergence], *, ahead: bool
) -> Deadline | None:
    """The first deadline of a system. `ahead`: without absences, which any row could still end."""
    found = min(_all(system, convergences, ahead=ahead), default=None)
    return None if found is None else Deadline(*found)


def _all(
    system: System, convergences: Mapping[str, Convergence], *, ahead: bool
) -> Iterator[tuple[int, Due, str, str]]:
    for id_, story in system.stories.items():
        convergence = convergences[id_]
        for join, instance in story.instances.items():
            if instance.waits and not ahead:
                first = min(wait.deadline for wait in instance.waits.values())
                yield first, Due.ABSENT, id_, join
            starts = [hit.start for hits in instance.hits.values() for hit in hits]
            if starts:
                yield min(starts) + convergence.window, Due.LEFT, id_, join
        if story.alert is not None:
            yield story.alert.last + convergence.ttl, Due.EXPIRY, id_, ""
    for forecast in system.forecasts.values():
        yield forecast.until, Due.HORIZON, forecast.id, ""
