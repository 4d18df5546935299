"""Systems: the AI systems with what is open on them, and one of them with its parts."""

from __future__ import annotations

from typing import Final

from infra.api.answers import Absent, Key, Limit, Moment, Rows, dicts, page
from infra.api.route import Asked, Route
from infra.api.routes.alerts import AlertRow, WantedAlerts, alerts
from infra.api.routes.forecasts import ForecastRow, WantedForecasts, forecasts
from schemas.alert import Stage
from schemas.event import LEVELS, Level, Record

BY_ID: Final = Key(("id",), ("VARCHAR",))
_LISTED: Final = """
WITH facts AS (
  SELECT m.root, p.severity, count(*) AS facts
  FROM system_members AS m JOIN posture AS p USING (entity) GROUP BY ALL),
pressing AS (
  SELECT system, count(*) AS alerts, max(priority) AS priority,
    arg_max(stage, list_position(['outlook', 'watch', 'warning'], stage)) AS stage
  FROM open_alerts GROUP BY system)
SELECT
  s.id, s.name, s.root, len(s.members) AS members,
  CAST(coalesce(sum(f.facts), 0) AS BIGINT) AS open_facts,
  CAST(coalesce(sum(f.facts) FILTER (f.severity IN ('high', 'critical')), 0) AS BIGINT)
    AS grave_facts,
  coalesce(any_value(p.alerts), 0) AS open_alerts, any_value(p.priority) AS priority,
  any_value(p.stage) AS stage
FROM systems AS s
LEFT JOIN facts AS f ON f.root = s.root
LEFT JOIN pressing AS p ON p.system IN (s.root, s.name)
GROUP BY s.id, s.name, s.root, s.members"""
_ONE: Final = (
    f"SELECT * FROM ({_LISTED}) WHERE $name IN (id, name, root) ORDER BY name = $name DESC, id"  # noqa: S608 - of ours
)
_MEMBERS: Final = """
SELECT
  m.entity, a.kind, a.name, a.first_seen, a.last_seen, coalesce(p.facts, 0) AS open_facts,
  p.severity
FROM (SELECT unnest(members) AS entity FROM systems WHERE id = $id) AS m
LEFT JOIN assets AS a USING (entity)
LEFT JOIN (
  SELECT
    entity, count(*) AS facts, arg_max(severity, list_position($levels, severity)) AS severity
  FROM posture GROUP BY entity) AS p USING (entity)
ORDER BY m.entity"""


class SystemRow(Record):
    """An AI system; `stage` and `priority` are the highest of its open alerts.

    `grave_facts`: those of severity high and critical.
    """

    id: str
    name: str | None
    root: str | None
    members: int | None
    open_facts: int
    grave_facts: int
    open_alerts: int
    priority: int | None
    stage: Stage | None


class Member(Record):
    """What belongs to an AI system, with its worst open weakness."""

    entity: str
    kind: str | None
    name: str | None
    first_seen: Moment | None
    last_seen: Moment | None
    open_facts: int
    severity: Level | None


class System(Record):
    """One AI system: its parts, its open alerts, the most pressing first, and what is forecast."""

    system: SystemRow
    members: tuple[Member, ...]
    alerts: tuple[AlertRow, ...]
    forecasts: tuple[ForecastRow, ...]
    snapshot: Moment


class WantedSystems(Record):
    """Which page."""

    limit: Limit | None = None
    after: str | None = None


class WantedSystem(Record):
    """Its name, or the thing it stands on."""

    name: str


def systems(asked: Asked, wanted: WantedSystems) -> Rows[SystemRow]:
    """AI systems with their size, open facts and open alerts."""
    rows, following = page(
        asked.reader,
        _LISTED,
        {},
        BY_ID,
        after=wanted.after,
        limit=asked.limit(wanted.limit),
        seconds=asked.seconds,
    )
    return Rows[SystemRow](
        rows=tuple(SystemRow.model_validate(row) for row in rows),
        more=following is not None,
        next=following,
        snapshot=asked.taken,
    )


def system(asked: Asked, wanted: WantedSystem) -> System:
    """One AI system: its parts, open alerts and open forecasts."""
    found = dicts(asked.reader.run(_ONE, {"name": wanted.name}, rows=1, seconds=asked.seconds))
    if not found:
        raise Absent(f"there is no AI system {wanted.name!r}; /api/v1/systems lists them")
    row = SystemRow.model_validate(found[0])
    members = asked.reader.run(
        _MEMBERS, {"id": row.id, "levels": list(LEVELS)}, rows=asked.rows, seconds=asked.seconds
    )
    root = row.root or row.id
    pressing = WantedAlerts(status=("open",), system=(root,), order="pressing")
    return System(
        system=row,
        members=tuple(Member.model_validate(one) for one in dicts(members)),
        alerts=alerts(asked, pressing).rows,
        forecasts=forecasts(asked, WantedForecasts(system=(root,), outcome=("open",))).rows,
        snapshot=asked.taken,
    )


ROUTES: Final = (
    Route("get", "/systems", systems),
    Route("get", "/systems/{name:.+}", system),
)
