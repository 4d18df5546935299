-- Models in use: by whom, since when, in which AI systems, and whether an inventory or configuration names them
SELECT
  i.entity, i.name, i.declared_from IS NOT NULL AS declared, i.observed_from, i.observed_seen,
  (SELECT coalesce(list(DISTINCT e.from_entity ORDER BY e.from_entity), []) FROM current_edges AS e
   WHERE e.relation = 'calls' AND list_contains(i.names, e.to_entity)) AS called_by,
  coalesce(y.systems, []) AS systems
FROM inventory AS i LEFT JOIN thing_systems AS y USING (entity)
WHERE i.kind IN ('model', 'endpoint') AND i.deleted IS NULL AND i.observed_from IS NOT NULL
ORDER BY declared, i.observed_seen DESC, i.entity
