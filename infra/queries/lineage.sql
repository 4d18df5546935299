-- Lineage of a thing in both directions, now or as of a time
-- param entity: VARCHAR
-- param as_of: TIMESTAMP = NULL
-- param depth: INTEGER = 12
SELECT 'reaches' AS way, depth, parent, relation, entity, confidence
FROM downstream($entity, CAST($as_of AS TIMESTAMP), CAST($depth AS INTEGER))
UNION ALL
SELECT 'is reached by', depth, parent, relation, entity, confidence
FROM upstream($entity, CAST($as_of AS TIMESTAMP), CAST($depth AS INTEGER))
ORDER BY way DESC, depth, relation, entity
