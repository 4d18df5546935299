"""Snapshot: the rows of the store that a report needs, and no more of them than it can show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import duckdb
import orjson

from infra.report.estate import Estate, estate

# Lineage only of systems that have an alert: nothing else of it is drawn.
_BODIES = {
    "alerts": "FROM alerts WHERE meta_state <> 'withdrawn'",
    "systems": "FROM systems ORDER BY id",
    "edges": """FROM edges WHERE valid_to IS NULL AND from_entity IN (
        SELECT unnest(members) FROM systems WHERE id IN (SELECT system FROM alerts))
        AND NOT EXISTS (
          FROM deletions WHERE until IS NULL AND entity IN (from_entity, to_entity))""",
    "facts": """FROM facts WHERE state = 'open' AND entity NOT LIKE 'vulnerability:%'
        ORDER BY list_position(['critical', 'high', 'medium', 'low'], severity) NULLS LAST,
        name, entity LIMIT $facts""",
    "forecasts": "FROM forecasts",
}
_SCORES = """SELECT alert, revision, strftime(time, $rfc3339) AS time, sum(points)::BIGINT AS total
    FROM scores GROUP BY ALL"""
_OPEN_FACTS = """SELECT count(*) FROM facts WHERE state = 'open'
    AND entity NOT LIKE 'vulnerability:%'"""  # of these a feed names thousands
MAX_FACTS = 200


def read(db: duckdb.DuckDBPyConnection, summary: Mapping[str, Any]) -> Estate:
    """The Estate of an open snapshot and of the run's summary.json (empty where there is none)."""
    tables: dict[str, Iterable[Mapping[str, Any]]] = {}
    for name, query in _BODIES.items():
        named = {"facts": MAX_FACTS} if "$facts" in query else {}
        rows = db.execute(f"SELECT body {query}", named).fetchall()
        tables[name] = [orjson.loads(body) for (body,) in rows]
    rows = db.execute(_SCORES, {"rfc3339": "%Y-%m-%dT%H:%M:%S.%fZ"}).fetchall()
    columns = ("alert", "revision", "time", "total")
    tables["scores"] = [dict(zip(columns, row, strict=True)) for row in rows]
    (open_facts,) = db.execute(_OPEN_FACTS).fetchall()[0]
    return estate(tables, summary, open_facts)
