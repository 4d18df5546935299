DELETE FROM assets WHERE entity IN (
  SELECT (body ->> 'kind') || ':' || (body ->> 'id') FROM batch WHERE state = 'withdrawn');
INSERT OR REPLACE INTO assets BY NAME
SELECT
  b.kind || ':' || b.id AS entity, b.kind, b.id, b.name, b.first_seen, b.last_seen, b.sources, b.attributes,
  state AS meta_state, body
FROM (
  SELECT state, body, json_transform(body, '{
    "kind": "VARCHAR", "id": "VARCHAR", "name": "VARCHAR", "first_seen": "TIMESTAMP", "last_seen": "TIMESTAMP",
    "sources": ["VARCHAR"], "attributes": "JSON"}') AS b
  FROM batch WHERE state <> 'withdrawn');
