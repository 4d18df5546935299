"""News: what of an alert's life is worth a person's attention, and what is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

from schemas.alert import STAGES
from schemas.rows import Result
from sinks.formats.words import ending

News = Literal["opened", "raised", "risen", "lowered", "ended", "withdrawn"]
LOUD: Final[frozenset[News]] = frozenset(("opened", "raised", "risen", "ended", "withdrawn"))
"""What is worth a message of its own; the rest changes what is there, and disturbs nobody."""
BANDS: Final = (25, 50, 75)  # priorities that are news when they are reached


class Said(NamedTuple):
    """What people know of an alert.

    `band` is the highest since it opened: a priority that swings around a bound is news once.
    """

    revision: int
    stage: str
    band: int
    closed: bool

    @classmethod
    def of(cls, result: Result, before: Said | None = None) -> Said:
        """What they know once they were told of this revision."""
        body, band = result.body, _band(result.body["priority"])
        if before is not None and not before.closed:
            band = max(band, before.band)
        return cls(body["meta"]["revision"], body["stage"], band, closed(result))


def closed(result: Result) -> bool:
    """True if nobody needs to look at it any more."""
    return result.state == "withdrawn" or result.body["status"] != "open"


def news(before: Said | None, result: Result) -> News | None:
    """What is new in this revision for who was told `before`; None is nothing.

    | told        | now                                  | news      |
    |-------------|--------------------------------------|-----------|
    | nothing     | open                                 | opened    |
    | nothing     | over: nobody has to forget it        |           |
    | over        | open again                           | opened    |
    | over        | over                                 |           |
    | open        | withdrawn                            | withdrawn |
    | open        | expired, verified, resolved, ...     | ended     |
    | open        | a higher stage                       | raised    |
    | open        | priority in a higher band than ever  | risen     |
    | open        | a lower stage                        | lowered   |
    | open        | any other change                     |           |
    | a revision  | the same or an older one             |           |
    """
    body: Mapping[str, Any] = result.body
    if before is None or before.closed:
        seen = before is not None and body["meta"]["revision"] <= before.revision
        return None if seen or closed(result) else "opened"
    if body["meta"]["revision"] <= before.revision:
        return None
    if closed(result):
        return "withdrawn" if result.state == "withdrawn" else "ended"
    order: tuple[str, ...] = STAGES
    was, now = order.index(before.stage), order.index(body["stage"])
    if now > was:
        return "raised"
    if _band(body["priority"]) > before.band:
        return "risen"
    return "lowered" if now < was else None


def _band(priority: int) -> int:
    return sum(priority >= bound for bound in BANDS)


def change(result: Result, what: News | None, before: Said | None) -> str:
    """What is new, in a line of our own words."""
    body = result.body
    match what:
        case "opened" if before is not None:
            return f"open again: {body['stage']}, priority {body['priority']}"
        case "opened":
            return f"new: {body['stage']}, priority {body['priority']}"
        case "raised" | "lowered":
            was = "" if before is None else f", was {before.stage}"
            return f"now {body['stage']}{was}, priority {body['priority']}"
        case "risen":
            return f"priority now {body['priority']}, {BANDS[_band(body['priority']) - 1]} and more"
        case "ended" | "withdrawn":
            return ending(body, result.state)
        case None:
            return f"priority {body['priority']}"
