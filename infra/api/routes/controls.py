"""Controls: how each control of a framework was assessed, and for what."""

from __future__ import annotations

from typing import Final

from infra.api.answers import Key, Limit, Moment, Rows, page
from infra.api.route import Asked, Route
from schemas.event import Record

BY_CONTROL: Final = Key(("framework", "control", "scope"), ("VARCHAR", "VARCHAR", "VARCHAR"))
_LISTED: Final = """
SELECT framework, control, scope, title, status, assessed_at, fresh_until FROM controls
WHERE (len($framework) = 0 OR list_contains($framework, framework))
  AND (len($status) = 0 OR list_contains($status, status))"""


class ControlRow(Record):
    """One control for one scope; `status` is pass, fail or not_assessed."""

    framework: str
    control: str
    scope: str
    title: str | None
    status: str | None
    assessed_at: Moment | None
    fresh_until: Moment | None


class WantedControls(Record):
    """Frameworks and statuses."""

    framework: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    limit: Limit | None = None
    after: str | None = None


def controls(asked: Asked, wanted: WantedControls) -> Rows[ControlRow]:
    """Controls by framework and status."""
    rows, following = page(
        asked.reader,
        _LISTED,
        {"framework": list(wanted.framework), "status": list(wanted.status)},
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
