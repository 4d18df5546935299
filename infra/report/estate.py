"""Estate: what the report shows, from the store's rows into values that the page can rely on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from infra.report.ageing import Age
from infra.report.readings import Reading, readings
from infra.terminal.conditions import gravest
from schemas.alert import STAGES, Alert, Stage
from schemas.event import LEVELS, Level
from schemas.times import instant

Body = Mapping[str, Any]
Outcome = Literal["open", "hit", "false_alarm"]


class Line(NamedTuple):
    """One edge of the lineage that still holds; both ends are `kind:id`."""

    from_: str
    relation: str
    to: str


class Fact(NamedTuple):
    """Something that holds of an entity since `time`."""

    entity: str
    name: str
    title: str
    severity: Level
    time: int


class Forecast(NamedTuple):
    """A technique that was said to be likely on a system until a time, and what came of it."""

    system: str
    technique: str
    probability: float
    issued: int
    until: int
    outcome: Outcome


class System(NamedTuple):
    """An AI system by its root; not declared: an entity that belongs to none and stands alone."""

    id: str
    declared: bool


@dataclass(frozen=True)
class Estate:
    """Everything from `since` to `until`: alerts gravest first, readings by time.

    `open_facts` counts all, where `facts` is cut. `counters` are figures of summary.json; what is
    not known is absent.
    """

    alerts: tuple[Alert, ...] = ()
    systems: tuple[System, ...] = ()
    edges: tuple[Line, ...] = ()
    facts: tuple[Fact, ...] = ()
    open_facts: int = 0
    forecasts: tuple[Forecast, ...] = ()
    ages: tuple[Age, ...] = ()
    trace: tuple[Reading, ...] = ()
    counters: Mapping[str, float] = field(default_factory=dict[str, float])
    since: int = 0
    until: int = 0

    def open_alerts(self, system: str | None = None) -> list[Alert]:
        """The alerts that still stand, of one system or of all."""
        return [a for a in self.alerts if a.status == "open" and system in (None, a.system)]

    def readings(self, system: str) -> list[Reading]:
        """The pressure of one system from `since` on; it begins without an open alert."""
        return [
            Reading(system, self.since, 0, None),
            *(r for r in self.trace if r.system == system),
        ]

    def stage(self, system: str) -> Stage | None:
        """The gravest stage of its open alerts; None is calm."""
        return gravest(alert.stage for alert in self.open_alerts(system))

    def priority(self, system: str) -> int:
        """The highest priority of its open alerts; 0 is none."""
        return max((a.priority for a in self.open_alerts(system)), default=0)


def estate(
    tables: Mapping[str, Iterable[Body]],
    summary: Mapping[str, Any],
    open_facts: int | None = None,
    ages: Iterable[Age] = (),
) -> Estate:
    """The Estate of record bodies by table, and of the run's summary.json.

    Tables: `alerts, systems, edges, facts, forecasts` as their bodies are, `scores` with `alert,
    revision, time, total`; a missing one is empty. `open_facts`: how
    many there are, if `facts` does not hold all. ValueError on a wrong row.
    """

    def rows(name: str) -> Iterable[Body]:
        return tables.get(name, ())

    alerts = [alert for alert in map(_alert, rows("alerts")) if alert.meta.state != "withdrawn"]
    alerts.sort(key=_gravest_first)
    systems = {str(row["id"]): System(str(row["id"]), declared=True) for row in rows("systems")}
    for alert in alerts:
        systems.setdefault(alert.system, System(alert.system, declared=False))
    trace = readings(alerts, rows("scores"))
    ends = [r.time for r in trace] + [a.last_time for a in alerts]
    until = instant(summary["until"]) if "until" in summary else max(ends, default=0)
    facts = [_fact(row) for row in rows("facts") if row["state"] == "open"]
    return Estate(
        alerts=tuple(alerts),
        systems=tuple(systems.values()),
        edges=tuple(
            Line(str(row["from"]), str(row["relation"]), str(row["to"]))
            for row in rows("edges")
            if "valid_to" not in row
        ),
        facts=tuple(sorted(facts, key=lambda f: (-LEVELS.index(f.severity), f.name, f.entity))),
        open_facts=len(facts) if open_facts is None else open_facts,
        forecasts=tuple(map(_forecast, rows("forecasts"))),
        ages=tuple(ages),
        trace=tuple(trace),
        counters={k: v for k, v in summary.items() if isinstance(v, int | float)},
        since=min([*(a.first_time for a in alerts), *(r.time for r in trace)], default=until),
        until=until,
    )


def _alert(row: Body) -> Alert:
    return Alert.model_validate({"meta": {"state": "final"}, **row}, extra="ignore")


def _gravest_first(alert: Alert) -> tuple[bool, int, int, int]:
    return (
        alert.status != "open",
        -STAGES.index(alert.stage),
        -alert.priority,
        -alert.last_time,
    )


def _forecast(row: Body) -> Forecast:
    return Forecast(
        str(row["system"]),
        str(row["technique"]),
        float(row["probability"]),
        instant(row["issued"]),
        instant(row["until"]),
        row["outcome"],
    )


def _fact(row: Body) -> Fact:
    return Fact(
        str(row["entity"]),
        str(row["name"]),
        str(row.get("title") or row["name"]),
        row["severity"] if row.get("severity") in LEVELS else "informational",
        instant(row["since"]),
    )
