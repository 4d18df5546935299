-- Models at work without approval: not declared, and not like one of the patterns given
-- param approved: VARCHAR[] = NULL
SELECT
  i.entity, i.observed_from, i.observed_seen, i.sources,
  (SELECT coalesce(list(DISTINCT e.from_entity ORDER BY e.from_entity), []) FROM current_edges AS e
   WHERE e.relation = 'calls' AND list_contains(i.names, e.to_entity)) AS called_by
FROM inventory AS i
WHERE i.kind IN ('model', 'endpoint') AND i.deleted IS NULL AND i.observed_from IS NOT NULL AND i.declared_from IS NULL
  AND len(list_filter(coalesce(CAST($approved AS VARCHAR[]), []), lambda p: len(list_filter(i.names,
    lambda n: n GLOB p)) > 0)) = 0
ORDER BY i.observed_seen DESC, i.entity
