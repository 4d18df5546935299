"""Ageing: how long open alerts and open facts have stood, and which are overdue."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import duckdb

from infra.report.html import Html, join, tag
from infra.terminal import shown
from schemas.alert import STAGES
from schemas.config import SlaConfig
from schemas.event import LEVELS
from schemas.times import DAY

COLUMNS: Final = ("a day", "a week", "30 days", "90 days", "longer")
_OPEN: Final = """
WITH target AS (SELECT unnest($targets, recursive := true)),
open AS (
  SELECT 'alert' AS what, stage AS class, onset_time AS since FROM open_alerts
  WHERE $system IS NULL OR system = $system
  UNION ALL
  SELECT 'fact', severity, since FROM estate_facts
  WHERE state = 'open' AND ($members IS NULL OR list_contains($members, entity))),
aged AS (SELECT what, class, greatest($now - epoch_us(since), 0) AS age FROM open)
SELECT what, class, any_value(most), count(*), count(*) FILTER (age > most), max(age),
  [count(*) FILTER (age <= $day), count(*) FILTER (age <= 7 * $day),
   count(*) FILTER (age <= 30 * $day), count(*) FILTER (age <= 90 * $day)]
FROM aged JOIN target USING (what, class)
GROUP BY what, class ORDER BY any_value(place)"""
_NOW: Final = """
SELECT max(time) FROM (
  SELECT max(epoch_us(last_time)) AS time FROM alerts
  UNION ALL SELECT max(epoch_us(time)) FROM events
  UNION ALL SELECT max(epoch_us(since)) FROM facts)"""


class Age(NamedTuple):
    """Open things of one class: `total` in all, and how many in each of COLUMNS.

    `most` is how long one may stand, `oldest` how long one does, both in microseconds.
    """

    what: str
    class_: str
    most: int
    total: int
    overdue: int
    oldest: int
    columns: tuple[int, ...]


def ages(
    db: duckdb.DuckDBPyConnection,
    sla: SlaConfig,
    now: int | None = None,
    system: str | None = None,
    members: Sequence[str] | None = None,
) -> list[Age]:
    """Alerts by stage, then facts by severity, the gravest first; classes with nothing open not.

    `now` in microseconds; None is the newest time in the store. `system` and `members`: only the
    alerts of the one and the facts of the others.
    """
    if now is None:
        (now,) = db.execute(_NOW).fetchall()[0]
    classes: list[tuple[str, str]] = [("alert", stage) for stage in reversed(STAGES)]
    classes += [("fact", level) for level in reversed(LEVELS) if hasattr(sla, level)]
    targets = [
        {"what": what, "class": class_, "place": place, "most": getattr(sla, class_)}
        for place, (what, class_) in enumerate(classes)
    ]
    named = {"targets": targets, "now": now, "day": DAY, "system": system, "members": members}
    return [_age(*row) for row in db.execute(_OPEN, named).fetchall()]


def ageing(known: Sequence[Age]) -> Html:
    """A row for each class, its ages as columns; what is overdue is said in words and in red."""
    if not known:
        return tag("p", "Nothing is open.")
    heads = ("What", "May stand", *COLUMNS, "Oldest", "Overdue")
    rows = [
        tag(
            "tr",
            tag("th", tag("span", age.what, class_="kind"), " ", age.class_, scope="row"),
            tag("td", shown.span(age.most), class_="number"),
            *(tag("td", shown.number(n) if n else None, class_="number") for n in age.columns),
            tag("td", shown.span(age.oldest), class_="number"),
            tag("td", _overdue(age), class_="number"),
        )
        for age in known
    ]
    first, *others = heads
    head = tag(
        "tr",
        tag("th", first, scope="col"),
        *(tag("th", word, scope="col", class_="number") for word in others),
    )
    table = tag("table", tag("thead", head), tag("tbody", *rows))
    return join(
        tag("div", table, class_="scroll", tabindex=0, role="region", aria_label="Ageing"),
        tag(
            "p",
            "How many have stood for up to so long. What each may stand is in [sla] of the"
            " configuration.",
            class_="note",
        ),
    )


def _overdue(age: Age) -> Html:
    if not age.overdue:
        return tag("span", "none", class_="kind")
    return tag("strong", f"{shown.number(age.overdue)} of {shown.number(age.total)}", class_="late")


def _age(*row: Any) -> Age:  # noqa: ANN401 - a row of the query
    what, class_, most, total, overdue, oldest, upto = row
    steps = [0, *upto, total]
    columns = tuple(after - before for before, after in pairwise(steps))
    return Age(what, class_, most, total, overdue, oldest, columns)
