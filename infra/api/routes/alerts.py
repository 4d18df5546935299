"""Alerts: the list, one of them whole, and the path on which it lies as a graph."""

from __future__ import annotations

from typing import Any, Final, Literal

import orjson

from infra.api.answers import Absent, Key, Limit, Moment, Rows, dicts, page
from infra.api.graph import Edge, Graph, graph
from infra.api.route import Asked, Route
from schemas.alert import Alert, AlertStatus, Stage
from schemas.errors import Mistake
from schemas.event import Level, Record
from schemas.finding import State

NEWEST: Final = Key(("onset_time", "id"), ("TIMESTAMP", "VARCHAR"), newest_first=True)
_LISTED: Final = """
SELECT
  a.id, a.thread, a.stage, a.peak_stage, a.status, a.severity, a.priority, a.confidence,
  coalesce(s.name, a.system) AS system, a.system AS root, a.convergence, a.title, a.summary,
  a.tags, a.first_time, a.onset_time, a.last_time, a.expires_at, a.revision, a.meta_state AS state
FROM alerts AS a
LEFT JOIN (SELECT root, min(name) AS name FROM systems GROUP BY root) AS s ON s.root = a.system
WHERE a.meta_state <> 'withdrawn'
  AND (len($status) = 0 OR list_contains($status, a.status))
  AND (len($stage) = 0 OR list_contains($stage, a.stage))
  AND (len($severity) = 0 OR list_contains($severity, a.severity))
  AND (len($system) = 0 OR list_contains($system, a.system) OR list_contains($system, s.name))"""
_PRESSING: Final = """
ORDER BY list_position(['warning', 'watch', 'outlook'], stage), priority DESC, last_time DESC, id
LIMIT """
_BODY: Final = "SELECT body FROM alerts WHERE id = $id"


class AlertRow(Record):
    """An alert in a list. `system` is the name of its AI system, else `root`, what it stands on."""

    id: str
    thread: str | None
    stage: Stage | None
    peak_stage: Stage | None
    status: AlertStatus | None
    severity: Level | None
    priority: int | None
    confidence: float | None
    system: str | None
    root: str | None
    convergence: str | None
    title: str | None
    summary: str | None
    tags: tuple[str, ...] | None
    first_time: Moment | None
    onset_time: Moment | None
    last_time: Moment | None
    expires_at: Moment | None
    revision: int | None
    state: State


class WantedAlerts(Record):
    """`order`: newest onset first, in pages; or the most pressing ones, which is one page."""

    status: tuple[AlertStatus, ...] = ()
    stage: tuple[Stage, ...] = ()
    severity: tuple[Level, ...] = ()
    system: tuple[str, ...] = ()
    order: Literal["newest", "pressing"] = "newest"
    limit: Limit | None = None
    after: str | None = None


class WantedAlert(Record):
    """Which alert."""

    id: str


def alerts(asked: Asked, wanted: WantedAlerts) -> Rows[AlertRow]:
    """Alerts by status, stage, severity and AI system (name or root)."""
    filters: dict[str, object] = {
        name: list(getattr(wanted, name)) for name in ("status", "stage", "severity", "system")
    }
    limit = asked.limit(wanted.limit)
    if wanted.order == "newest":
        rows, following = page(
            asked.reader,
            _LISTED,
            filters,
            NEWEST,
            after=wanted.after,
            limit=limit,
            seconds=asked.seconds,
        )
        more = following is not None
    elif wanted.after is not None:
        raise Mistake(
            "the most pressing alerts are one page, as priorities change; leave `after` out, or"
            " take order=newest"
        )
    else:
        query = f"SELECT * FROM ({_LISTED}) {_PRESSING} {limit + 1}"  # noqa: S608 - of ours
        answer = asked.reader.run(query, filters, rows=limit, seconds=asked.seconds)
        rows, following, more = dicts(answer), None, answer.more
    return Rows[AlertRow](
        rows=tuple(AlertRow.model_validate(row) for row in rows),
        more=more,
        next=following,
        snapshot=asked.taken,
    )


def alert(asked: Asked, wanted: WantedAlert) -> dict[str, Any]:
    """One alert, whole: summary, timeline, score ledger, forecasts, actions, evidence."""
    rows = asked.reader.run(_BODY, {"id": wanted.id}, rows=1, seconds=asked.seconds).rows
    if not rows:
        raise Absent(f"there is no alert {wanted.id!r}; /api/v1/alerts lists them")
    body: dict[str, Any] = orjson.loads(rows[0][0])
    return body


def alert_path(asked: Asked, wanted: WantedAlert) -> Graph:
    """The path of lineage on which an alert lies, and what it is about, as a node graph."""
    body = alert(asked, wanted)
    edges = [
        Edge(step["from"], step["relation"], step["to"], step["state"] == "walked")
        for step in body.get("path", ())
    ]
    ends = [end for edge in edges for end in (edge.source, edge.target)]
    about = [f"{one['kind']}:{one['id']}" for one in body.get("entities", ())]
    return graph(asked, [body["system"], *ends, *about], edges)


ROUTES: Final = (
    Route("get", "/alerts", alerts),
    Route("get", "/alerts/{id}", alert, told=Alert),
    Route("get", "/alerts/{id}/path", alert_path),
)
