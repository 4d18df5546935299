"""Snapshot: the rows of the store that a report needs, and no more of them than it can show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import duckdb
import orjson

from infra.report.ageing import ages
from infra.report.estate import Estate, estate
from schemas.config import SlaConfig
from schemas.errors import Mistake
from schemas.times import instant

MAX_FACTS: Final = 200
# $system is the id of one AI system and $members what belongs to it; both NULL: all of them.
_FACTS: Final = """FROM estate_facts
  WHERE state = 'open' AND ($members IS NULL OR list_contains($members, entity))"""
# Lineage only of systems that have an alert: nothing else of it is drawn.
_BODIES: Final = {
    "alerts": """FROM alerts WHERE meta_state <> 'withdrawn'
        AND ($system IS NULL OR system = $system)""",
    "systems": "FROM systems WHERE $system IS NULL OR id = $system ORDER BY id",
    "edges": """FROM edges WHERE valid_to IS NULL AND from_entity IN (
        SELECT unnest(members) FROM systems WHERE id IN (SELECT system FROM alerts)
        AND ($system IS NULL OR id = $system))
        AND NOT EXISTS (
          FROM deletions WHERE until IS NULL AND entity IN (from_entity, to_entity))""",
    "facts": f"""{_FACTS}
        ORDER BY list_position(['critical', 'high', 'medium', 'low'], severity) NULLS LAST,
        name, entity LIMIT $facts""",
    "forecasts": "FROM forecasts WHERE $system IS NULL OR system = $system",
}
_SCORES: Final = """
SELECT alert, s.revision, strftime(s.time, $rfc3339) AS time, sum(points)::BIGINT AS total
FROM scores AS s JOIN alerts AS a ON a.id = s.alert
WHERE $system IS NULL OR a.system = $system GROUP BY ALL"""
_OPEN_FACTS: Final = f"SELECT count(*) {_FACTS}"
_SYSTEM: Final = """
SELECT id, members FROM systems WHERE id = $name OR name = $name
UNION ALL SELECT DISTINCT system, [system] FROM alerts WHERE system = $name"""


def read(
    db: duckdb.DuckDBPyConnection,
    summary: Mapping[str, Any],
    sla: SlaConfig | None = None,
    system: str | None = None,
) -> Estate:
    """The Estate of an open snapshot and of the run's summary.json (empty where there is none).

    `system`: the name or id of one AI system; a Mistake if there is none of that name.
    """
    id_, members = (None, None) if system is None else _one(db, system)
    named = {
        "system": id_,
        "members": members,
        "facts": MAX_FACTS,
        "rfc3339": "%Y-%m-%dT%H:%M:%S.%fZ",
    }

    def rows(query: str) -> list[tuple[Any, ...]]:
        asked = {name: value for name, value in named.items() if f"${name}" in query}
        return db.execute(query, asked).fetchall()

    tables: dict[str, Iterable[Mapping[str, Any]]] = {
        name: [orjson.loads(body) for (body,) in rows(f"SELECT body {query}")]
        for name, query in _BODIES.items()
    }
    columns = ("alert", "revision", "time", "total")
    tables["scores"] = [dict(zip(columns, row, strict=True)) for row in rows(_SCORES)]
    (open_facts,) = rows(_OPEN_FACTS)[0]
    now = instant(summary["until"]) if "until" in summary else None
    return estate(tables, summary, open_facts, ages(db, sla or SlaConfig(), now, id_, members))


def _one(db: duckdb.DuckDBPyConnection, name: str) -> tuple[str, list[str]]:
    found = db.execute(_SYSTEM, {"name": name}).fetchone()
    if found is None:
        known = db.execute("SELECT name FROM systems ORDER BY name LIMIT 20").fetchall()
        names = ", ".join(one for (one,) in known) or "none yet"
        raise Mistake(f"no AI system is called {name}; there are {names}")
    return found[0], list(found[1])
