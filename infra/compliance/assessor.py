"""Assessor: fills the tables `controls` and `criteria` of a store from all its other tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import duckdb
import orjson
import polars as pl

from correlators.judging import judge
from correlators.rating import rate
from correlators.ruleset import Ruleset
from correlators.standards import standards
from correlators.statement import of_control, of_criterion
from infra.compliance.gathering import Asked, Terms, gathered
from schemas.config import Config

_NEWEST: Final = "SELECT epoch_us(time) FROM newest"
_COLUMNS: Final = {
    "criteria": ("criterion", "scope", "title", "status", "severity"),
    "controls": ("framework", "control", "scope", "title", "status", "severity", "reason"),
}
_KEYS: Final = {"criteria": ("criterion", "scope"), "controls": ("framework", "control", "scope")}


class Assessor:
    """Called with a connection to the writer's file, in a transaction.

    It assesses as of the newest record; `until`: how far time has passed, where that is further.
    The answer depends on the tables and that time alone, not on when it is called.
    """

    def __init__(self, rules: Callable[[], frozenset[str]], config: Config) -> None:
        """`rules`: the ids of those that run when it is called; stories are rules, too."""
        self._rules = rules
        self._terms = Terms(config.inventory.approved, config.sla)
        self.until: int | None = None

    def __call__(self, db: duckdb.DuckDBPyConnection) -> None:
        """Raises duckdb.Error. An empty store has nothing to assess, and no rows."""
        found = db.execute(_NEWEST).fetchone()
        newest = found[0] if found else None
        if newest is None:
            return
        now = newest if self.until is None else max(newest, self.until)
        criteria, frameworks = standards().criteria, standards().frameworks
        known = gathered(db, Asked.of(criteria.values()), self._rules(), self._terms, now)
        judged = judge(criteria.values(), known)
        _fill(
            db,
            "criteria",
            [of_criterion(criteria[id_], one, now) for (id_, _), one in judged.items()],
        )
        rated = rate(frameworks.values(), criteria, judged, known)
        _fill(db, "controls", [of_control(one, now) for one in rated])


def rule_ids(ruleset: Ruleset) -> frozenset[str]:
    """The ids of all that runs."""
    ids = {rule.detection.id for rule in ruleset.rules}
    ids |= {rule.id for rule in ruleset.correlations}
    return frozenset(ids | {story.id for story in ruleset.convergences})


def _fill(db: duckdb.DuckDBPyConnection, table: str, bodies: list[dict[str, Any]]) -> None:
    """The table holds these and no others."""
    keys, columns = _KEYS[table], _COLUMNS[table]
    times = ("assessed_at", "fresh_until")
    frame = pl.DataFrame(
        [_row(body, (*columns, *times)) for body in bodies],
        schema=dict.fromkeys((*columns, *times, "body"), pl.String),
    )
    said = ", ".join((*columns, *(f"CAST({one} AS TIMESTAMP) AS {one}" for one in times), "body"))
    same = " AND ".join(f"a.{key} = {table}.{key}" for key in keys)
    db.register("assessed", frame)
    # Nothing of these texts is of a stranger: names of our tables and columns.
    db.execute(f"INSERT OR REPLACE INTO {table} BY NAME SELECT {said} FROM assessed")  # noqa: S608
    db.execute(f"DELETE FROM {table} WHERE NOT EXISTS (FROM assessed AS a WHERE {same})")  # noqa: S608
    db.unregister("assessed")


def _row(body: Mapping[str, Any], columns: tuple[str, ...]) -> dict[str, str | None]:
    return {name: body.get(name) for name in columns} | {"body": orjson.dumps(body).decode()}
