"""Forecasts: what was expected of which AI system, how probable, and what came of it."""

from __future__ import annotations

from typing import Final, Literal

from correlators.atlas import name
from infra.api.answers import Key, Limit, Moment, Rows, page
from infra.api.route import Asked, Route
from schemas.atlas import atlas
from schemas.event import Record

Outcome = Literal["open", "hit", "false_alarm"]
NEWEST: Final = Key(("issued", "id"), ("TIMESTAMP", "VARCHAR"), newest_first=True)
_LISTED: Final = """
SELECT
  f.id, f.alert, f.system AS root, coalesce(s.name, f.system) AS system, f.technique, f.probability,
  f.horizon, f.issued, f.until, f.outcome, f.outcome_time,
  n.step.precondition AS precondition, n.step.blocking_action AS blocking_action
FROM forecasts AS f
LEFT JOIN (SELECT root, min(name) AS name FROM systems GROUP BY root) AS s ON s.root = f.system
LEFT JOIN (
  SELECT id, unnest(json_transform(body -> 'next',
    '[{"technique": "VARCHAR", "precondition": "VARCHAR", "blocking_action": "VARCHAR"}]')) AS step
  FROM alerts) AS n ON n.id = f.alert AND n.step.technique = f.technique
WHERE f.meta_state <> 'withdrawn'
  AND (len($outcome) = 0 OR list_contains($outcome, f.outcome))
  AND (len($system) = 0 OR list_contains($system, f.system) OR list_contains($system, s.name))"""


class ForecastRow(Record):
    """A probable next technique.

    `precondition` and `blocking_action` where the alert still expects it, `name` where ATLAS knows
    it.
    """

    id: str
    alert: str | None
    root: str | None
    system: str | None
    technique: str | None
    name: str | None
    probability: float | None
    horizon: str | None
    issued: Moment | None
    until: Moment | None
    outcome: Outcome | None
    outcome_time: Moment | None
    precondition: str | None
    blocking_action: str | None


class WantedForecasts(Record):
    """`system`: names or roots."""

    system: tuple[str, ...] = ()
    outcome: tuple[Outcome, ...] = ()
    limit: Limit | None = None
    after: str | None = None


def forecasts(asked: Asked, wanted: WantedForecasts) -> Rows[ForecastRow]:
    """Forecasts by AI system and outcome, the newest first."""
    rows, following = page(
        asked.reader,
        _LISTED,
        {"system": list(wanted.system), "outcome": list(wanted.outcome)},
        NEWEST,
        after=wanted.after,
        limit=asked.limit(wanted.limit),
        seconds=asked.seconds,
    )
    techniques = atlas().techniques
    for row in rows:
        row["name"] = name(row["technique"]) if row["technique"] in techniques else None
    return Rows[ForecastRow](
        rows=tuple(ForecastRow.model_validate(row) for row in rows),
        more=following is not None,
        next=following,
        snapshot=asked.taken,
    )


ROUTES: Final = (Route("get", "/forecasts", forecasts),)
