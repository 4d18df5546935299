-- AI and keys that nobody owns and that belong to no AI system: whom would you call?
SELECT i.kind, i.entity, i.first_seen, i.last_seen, i.sources
FROM inventory AS i
WHERE (i.ai OR i.kind IN ('apikey', 'datastore', 'image', 'workload')) AND i.deleted IS NULL
  AND i.entity NOT IN (SELECT entity FROM thing_systems)
  AND NOT EXISTS (FROM current_edges AS e WHERE e.relation = 'owns' AND list_contains(i.names, e.to_entity))
ORDER BY i.layer_number, i.kind, i.entity
