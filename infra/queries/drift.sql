-- Edges that are declared and were never at work, or at work and never declared
SELECT
  from_entity, relation, to_entity, CASE WHEN declared THEN 'declared, never exercised'
    ELSE 'exercised, never declared' END AS drift, valid_from, last_seen
FROM current_edges
WHERE declared <> observed
ORDER BY drift, from_entity, relation, to_entity
