-- What a thing reaches over lineage, nearest first; barograph lineage --blast-radius tells what can be held or used
-- param entity: VARCHAR
-- param as_of: TIMESTAMP = NULL
-- param depth: INTEGER = 12
SELECT
  d.entity, d.depth, d.relation, d.parent, d.confidence, d.entity IN (SELECT entity FROM private_data) AS private_data,
  (SELECT coalesce(list(DISTINCT m.system ORDER BY m.system), []) FROM system_members AS m WHERE m.entity = d.entity)
    AS systems
FROM downstream($entity, CAST($as_of AS TIMESTAMP), CAST($depth AS INTEGER)) AS d
ORDER BY d.depth, d.relation, d.entity
