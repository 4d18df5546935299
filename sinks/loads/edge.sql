DELETE FROM edges WHERE id IN (SELECT id FROM batch WHERE state = 'withdrawn');
INSERT OR REPLACE INTO edges BY NAME
SELECT
  id, b.from AS from_entity, b.relation, b.to AS to_entity, b.declared, b.valid_from, b.valid_to, b.last_seen,
  state AS meta_state, body
FROM (
  SELECT id, state, body, json_transform(body, '{
    "from": "VARCHAR", "relation": "VARCHAR", "to": "VARCHAR", "declared": "BOOLEAN", "valid_from": "TIMESTAMP",
    "valid_to": "TIMESTAMP", "last_seen": "TIMESTAMP"}') AS b
  FROM batch WHERE state <> 'withdrawn');
