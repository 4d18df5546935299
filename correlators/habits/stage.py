"""Stage: observations of groups become signals where they depart from the habit of the group.

A Signal is told once it is settled: it has no revisions. Who waits for it, a correlation or the leg
of a story, hears of it as soon as it holds on what has arrived, and it is taken back from them if
a late record disproves it. What only silence says is told to nobody before it is settled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import orjson

from correlators.correlate import hit_row
from correlators.habits.departure import Departure, Known
from correlators.habits.first_seen import Seen
from correlators.habits.missing import Runs
from correlators.habits.silence import Words
from correlators.habits.volume import Totals
from correlators.logic import Emit, Logic
from correlators.routes import Routes
from schemas.detection import Detection
from schemas.habit import FirstSeen, Habit, Missing, Silence, Volume
from schemas.rows import Row
from schemas.times import rfc3339

State = Seen | Totals | Words | Runs

_STATES: Final[Mapping[type[Habit], type[Known]]] = {
    FirstSeen: Seen,
    Volume: Totals,
    Silence: Words,
    Missing: Runs,
}


class Habits(Logic):
    """Logic of the habits stage; key = canonical JSON [detection id, group values...]."""

    name = "habits"
    state_type = State
    most = 200_000  # groups: who sends records may choose the values that they are grouped by

    def __init__(self, detections: Iterable[Detection], routes: Routes) -> None:
        """`detections`: those with a habit. `routes` say who else wants to know."""
        self.rules = {one.id: (one, one.habit) for one in detections if one.habit is not None}
        self.routes = routes

    def empty(self, key: str, /) -> Known:
        """What is known of a group that was never seen."""
        return _STATES[type(self._habit(key))]()

    def knows(self, key: str, /) -> bool:
        """False for a rule that is not here, and for one that groups by more or less."""
        id_, *values = _parts(key)
        return id_ in self.rules and len(values) == len(self.rules[id_][1].by)

    def apply(self, key: str, state: Known, time: int, rows: Sequence[Row], emit: Emit, /) -> None:
        """Fold the observations of one time."""
        self._tell(key, state.apply(self._habit(key), time, rows), emit)

    def fire(self, key: str, state: Known, until: int, emit: Emit, /) -> None:
        """What silence says, and what is forgotten."""
        departures = state.fire(self._habit(key), until)
        self._tell(key, departures, emit, unheard=True)

    def due(self, key: str, state: Known, /) -> int | None:
        """When the group is silent, or forgotten."""
        return state.due(self._habit(key))

    def idle(self, state: Known, /) -> bool:
        """True if nothing is known of the group."""
        return state.idle

    def provisional(self, key: str, /) -> bool:
        """True where somebody waits for it: the Signal itself is told once it is settled."""
        id_ = _parts(key)[0]
        awaited = id_ in self.routes.feeds or id_ in self.routes.legs
        return awaited and not isinstance(self._habit(key), Silence)

    def _habit(self, key: str) -> Habit:
        return self.rules[_parts(key)[0]][1]

    def _tell(
        self, key: str, departures: Iterator[Departure], emit: Emit, *, unheard: bool = False
    ) -> None:
        for departure in departures:
            if unheard and emit.ahead:
                continue
            detection, habit = self.rules[_parts(key)[0]]
            if not emit.ahead:
                body = signal(detection, habit, departure)
                emit.result("signal", departure.by.id, departure.time, body)
            for row in self._rows(detection, departure):
                emit.row(row)

    def _rows(self, detection: Detection, departure: Departure) -> Iterator[Row]:
        id_, by = departure.by.id, departure.by.body
        about = {
            "time": departure.time,
            "id": id_,
            "event": by["event"],
            "signals": [id_],
            "evidence": [[by["event"], by["sha256"]]],
            "entities": [f"{one['kind']}:{one['id']}" for one in by["entities"]],
            "families": [detection.family],
        }
        for rule in self.routes.feeds.get(detection.id, ()):
            # Not of the kind that ingest makes: of these rows the newest is right.
            row = hit_row(rule, by["fields"], detection.id, about, "episode")
            if row is not None:
                yield row
        told = about | {"family": detection.family}
        yield from self.routes.leg_rows(detection.id, told, "finding")


@lru_cache(maxsize=65_536)
def _parts(key: str) -> list[str]:
    """The id of the rule and the values of the group."""
    parts: list[str] = orjson.loads(key)
    return parts


def signal(detection: Detection, habit: Habit, departure: Departure) -> dict[str, Any]:
    """The Signal of a departure."""
    by = departure.by.body
    return {
        "id": departure.by.id,
        "time": rfc3339(departure.time),
        "detection": detection.id,
        "title": detection.title,
        "level": detection.level,
        "confidence": detection.confidence,
        "family": detection.family,
        "event": by["event"],
        "entities": by["entities"],
        "fields": by["fields"],
        "habit": {"type": habit.type, **departure.usual},
        "tags": list(detection.tags),
        "evidence": [{"event": by["event"], "sha256": by["sha256"]}],
    }
