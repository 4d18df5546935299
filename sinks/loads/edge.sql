DELETE FROM edges WHERE id IN (SELECT id FROM batch WHERE state = 'withdrawn');
INSERT OR REPLACE INTO edges BY NAME
SELECT
  id, b.from AS from_entity, b.relation, b.to AS to_entity, b.declared, coalesce(b.observed, NOT b.declared)
  AS observed, b.valid_from, b.valid_to, b.last_seen, b.declared_from, b.declared_seen, b.observed_from,
  b.observed_seen, coalesce(b.confidence, 1) AS confidence, state AS meta_state, body
FROM (
  SELECT id, state, body, json_transform(body, '{
    "from": "VARCHAR", "relation": "VARCHAR", "to": "VARCHAR", "declared": "BOOLEAN", "valid_from": "TIMESTAMP",
    "valid_to": "TIMESTAMP", "last_seen": "TIMESTAMP", "observed": "BOOLEAN", "declared_from": "TIMESTAMP",
    "declared_seen": "TIMESTAMP", "observed_from": "TIMESTAMP", "observed_seen": "TIMESTAMP",
    "confidence": "DOUBLE"}') AS b
  FROM batch WHERE state <> 'withdrawn');
