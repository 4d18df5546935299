"""Controls: how each control of a framework was assessed, and for what."""

from __future__ import annotations

from typing import Final

from infra.api.answers import Key, Limit, Moment, Rows, page
from infra.api.route import Asked, Route
from schemas.event import Record

BY_CONTROL: Final = Key(("framework", "control", "scope"), ("VARCHAR", "VARCHAR", "VARCHAR"))
_LISTED: Final = """
FROM (
  SELECT framework, control, scope, title, severity, assessed_at, fresh_until,
    CASE WHEN epoch_us(fresh_until) < $now THEN 'not_assessed' ELSE status END AS status,
    CASE WHEN epoch_us(fresh_until) < $now THEN 'nothing was heard in time' ELSE reason END
      AS reason
  FROM controls)
WHERE (len($framework) = 0 OR list_contains($framework, framework))
  AND (len($status) = 0 OR list_contains($status, status))
  AND (len($scope) = 0 OR list_contains($scope, scope))"""


class ControlRow(Record):
    """One control for one scope (`estate` or the root of an AI system), as it stands now.

    `status` is pass, fail or not_assessed, `reason` why. After `fresh_until` it is not assessed any
    more; without one only news ends it.
    """

    framework: str
    control: str
    scope: str
    title: str | None
    status: str | None
    severity: str | None
    reason: str | None
    assessed_at: Moment | None
    fresh_until: Moment | None


class WantedControls(Record):
    """Frameworks, statuses and scopes."""

    framework: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()
    limit: Limit | None = None
    after: str | None = None


def controls(asked: Asked, wanted: WantedControls) -> Rows[ControlRow]:
    """Controls by framework, status and scope."""
    rows, following = page(
        asked.reader,
        _LISTED,
        {
            "framework": list(wanted.framework),
            "status": list(wanted.status),
            "scope": list(wanted.scope),
            "now": asked.now,
        },
        BY_CONTROL,
        after=wanted.after,
        limit=asked.limit(wanted.limit),
        seconds=asked.seconds,
    )
    return Rows[ControlRow](
        rows=tuple(ControlRow.model_validate(row) for row in rows),
        more=following is not None,
        next=following,
        snapshot=asked.taken,
    )


ROUTES: Final = (Route("get", "/controls", controls),)
