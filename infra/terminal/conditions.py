"""Conditions: what stands over each AI system right now, folded from the results of a run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.alert import STAGES, Stage
from schemas.rows import Result

MAX_ENDED = 10_000  # alerts that ended and are remembered, so that a later revision is no news


def gravest(stages: Iterable[Stage]) -> Stage | None:
    """The highest of the stages; None, which is calm, of none."""
    found = set(stages)
    return next((stage for stage in reversed(STAGES) if stage in found), None)


class News(NamedTuple):
    """An alert appeared, changed its stage or ended (`word`), at an event time."""

    time: int
    word: str
    system: str
    priority: int
    title: str


class Standing(NamedTuple):
    """An open alert."""

    system: str
    stage: Stage
    priority: int


class Condition(NamedTuple):
    """One system: the gravest stage of its open alerts (None is calm), their highest priority."""

    system: str
    stage: Stage | None
    priority: int
    changed: int | None


@dataclass
class Conditions:
    """The open alerts by id, and since when each known system is as it is."""

    open: dict[str, Standing] = field(default_factory=dict[str, Standing])
    changed: dict[str, int | None] = field(default_factory=dict[str, "int | None"])
    _ended: dict[str, str] = field(default_factory=dict[str, str])

    def take(self, results: Iterable[Result]) -> list[News]:
        """Fold the results in order; what is new to a reader. The same result again is no news."""
        news: list[News] = []
        for result in results:
            if result.kind == "system":
                self.changed.setdefault(result.id, None)
            elif result.kind == "alert" and (item := self._alert(result)) is not None:
                news.append(item)
        return news

    def systems(self) -> list[Condition]:
        """All known systems, the gravest first."""
        alerts: dict[str, list[Standing]] = {system: [] for system in self.changed}
        for standing in self.open.values():
            alerts[standing.system].append(standing)
        return sorted(
            (
                Condition(
                    system,
                    gravest(s.stage for s in some),
                    max((s.priority for s in some), default=0),
                    self.changed[system],
                )
                for system, some in alerts.items()
            ),
            key=lambda o: (-STAGES.index(o.stage) if o.stage else 1, -o.priority, o.system),
        )

    def _alert(self, result: Result) -> News | None:
        body = result.body
        status = "withdrawn" if result.state == "withdrawn" else body["status"]
        system, known = body["system"], self.open.pop(result.id, None)
        if status == "open":
            self._ended.pop(result.id, None)
            now = self.open[result.id] = Standing(system, body["stage"], body["priority"])
            word: str = now.stage
            fresh = known is None or known.stage != now.stage
        else:
            word = f"{body['peak_stage']} {status}"
            fresh = self._ended.get(result.id) != status
            self._ended[result.id] = status
            if len(self._ended) > MAX_ENDED:
                del self._ended[next(iter(self._ended))]
        self.changed.setdefault(system, None)
        if not fresh:
            return None
        self.changed[system] = result.time
        return News(result.time, word, system, body["priority"], body["title"])
