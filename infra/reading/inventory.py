"""Inventory: what the command, the read API and the metrics ask the store about it."""

from __future__ import annotations

from typing import Final

LISTED: Final = """
SELECT
  i.entity, i.name, i.layer, i.first_seen, i.last_seen,
  concat_ws('+', CASE WHEN i.declared_from IS NOT NULL THEN 'declared' END,
    CASE WHEN i.observed_from IS NOT NULL THEN 'observed' END) AS known,
  i.sources, coalesce(s.systems, []) AS systems, coalesce(p.open_facts, 0) AS open_facts,
  i.names, i.declared_from, i.declared_seen, i.observed_from, i.observed_seen, i.deleted,
  a.attributes
FROM inventory AS i
LEFT JOIN assets AS a ON a.entity = i.entity
LEFT JOIN thing_systems AS s ON s.entity = i.entity
LEFT JOIN (
  SELECT t.thing, count(*) AS open_facts FROM posture JOIN things AS t USING (entity) GROUP BY ALL
) AS p ON p.thing = i.entity
WHERE ($kind IS NULL OR i.kind = $kind)
  AND ($entity IS NULL OR list_contains(i.names, $entity))
  AND ($system IS NULL OR i.entity IN (
    SELECT t.thing FROM system_members AS m JOIN things AS t USING (entity)
    WHERE $system IN (m.system, m.root)))
  AND ($entity IS NOT NULL OR i.deleted IS NULL)
  AND (NOT $unused OR (i.declarable AND i.declared_from IS NOT NULL AND i.observed_from IS NULL))
  AND (NOT $undeclared OR (i.declarable AND i.declared_from IS NULL
    AND i.observed_from IS NOT NULL))
ORDER BY i.layer_number, i.entity"""
SHADOW: Final = """
SELECT entity, name, layer, first_seen, last_seen, sources, servers, systems
FROM shadow_ai
WHERE len(list_filter(CAST($approved AS VARCHAR[]), lambda pattern: len(list_filter(
  list_concat(names, servers), lambda name: name GLOB pattern)) > 0)) = 0
ORDER BY entity"""
STALE: Final = """
SELECT entity, last_seen, quiet_days, coalesce(owners, []) AS owners,
  CASE WHEN owners IS NULL THEN 'nobody owns it' ELSE 'nobody uses it' END AS why
FROM stale_keys WHERE owners IS NULL OR quiet_days >= $days
ORDER BY quiet_days DESC, entity"""
COUNTS: Final = (
    "SELECT 'things' AS what, layer, kind AS name, things AS number, declared, observed, both_ways"
    " FROM asset_counts UNION ALL"
    " SELECT 'edges', NULL, relation, edges, declared, observed, both_ways FROM edge_counts"
)
# What is known of one thing, under all its names.
PARTS: Final = {
    "attributes": "SELECT name, value, source, first_seen, last_seen, confidence"
    " FROM asset_attributes WHERE list_contains($names, entity) ORDER BY ALL",
    "edges": "SELECT from_entity, relation, to_entity, declared, observed, valid_from,"
    " last_seen, confidence FROM current_edges"
    " WHERE list_has_any($names, [from_entity, to_entity]) ORDER BY ALL",
    "weaknesses": "SELECT weakness, state, severity, since, said_by, packages, fixed_versions,"
    " kev_since, epss, waived_by FROM weaknesses WHERE list_contains($names, entity)"
    " ORDER BY state, list_position(['critical', 'high', 'medium', 'low'], severity), weakness",
}
