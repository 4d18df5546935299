"""Conditions: what the inventory shows against a criterion, each as a query of the store.

Every row is (entity, severity, what, id, text, time, evidence); evidence is JSON, or NULL where the
newest record of the thing is meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from infra.reading.inventory import SHADOW
from infra.reading.named import queries
from schemas.framework import Condition

MOST: Final = 10_000  # rows of one condition


def _things(severity: str, text: str, found: str) -> str:
    """Those that another query of ours finds."""
    said = f"entity, '{severity}', 'asset', entity, '{text}', epoch_us(last_seen), NULL"
    return f"SELECT {said} FROM ({found})"  # noqa: S608 - of ours


# Of facts and alerts $times has for each severity or stage how long one may stand ([sla]).
CONDITIONS: Final[Mapping[Condition, str]] = {
    "shadow": _things("medium", "at work, neither declared nor approved", SHADOW),
    "ownerless": _things(
        "low", "belongs to nobody and to no AI system", queries()["ownerless"].sql
    ),
    "unguarded": """
        SELECT
          e.from_entity, 'high', 'asset', e.from_entity,
          'calls ' || min(e.to_entity) || ' and no guardrail', epoch_us(max(e.last_seen)), NULL
        FROM current_edges AS e
        WHERE e.relation = 'calls' AND split_part(e.to_entity, ':', 1) IN ('model', 'endpoint')
          AND split_part(e.from_entity, ':', 1) IN ('agent', 'application')
          AND NOT EXISTS (FROM current_edges AS g WHERE starts_with(g.to_entity, 'guardrail:')
            AND g.from_entity IN (e.from_entity, e.to_entity))
        GROUP BY e.from_entity""",
    "untraced": """
        SELECT
          i.entity, 'medium', 'asset', i.entity, 'nothing says what it was trained on or made by',
          epoch_us(i.last_seen), NULL
        FROM inventory AS i
        WHERE i.entity LIKE 'model:sha256:%' AND i.deleted IS NULL AND NOT EXISTS (
          FROM current_edges AS e
          WHERE (e.relation IN ('trained_on', 'made_by') AND list_contains(i.names, e.from_entity))
            OR (e.relation = 'makes' AND list_contains(i.names, e.to_entity)))""",
    "overdue_weaknesses": """
        SELECT
          f.entity, f.severity, 'fact', f.id, f.title, epoch_us(f.since),
          CAST(f.body -> '$.evidence' AS VARCHAR)
        FROM facts AS f
        LEFT JOIN facts AS v ON v.name = 'vex' AND v.state = 'open' AND v.entity = f.entity
          AND v.instance = f.vulnerability
        WHERE f.name = 'finding' AND f.state = 'open' AND v.id IS NULL
          AND epoch_us(f.since) + ($times -> f.severity)::BIGINT < epoch_us($now)""",
    "overdue_alerts": """
        SELECT a.system, a.severity, 'alert', a.id, a.title, epoch_us(a.onset_time),
          CAST(a.body -> '$.evidence' AS VARCHAR)
        FROM alerts AS a
        WHERE a.status = 'open' AND a.meta_state <> 'withdrawn'
          AND epoch_us(a.onset_time) + ($times -> a.stage)::BIGINT < epoch_us($now)""",
}


def query(condition: Condition) -> str:
    """The query, in an order, the longest standing first."""
    text = CONDITIONS[condition]
    return f"SELECT * FROM ({text}) ORDER BY 6, 1, 4 LIMIT {MOST}"  # noqa: S608 - of ours
