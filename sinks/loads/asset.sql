DELETE FROM assets WHERE entity IN (
  SELECT (body ->> 'kind') || ':' || (body ->> 'id') FROM batch WHERE state = 'withdrawn');
INSERT OR REPLACE INTO assets BY NAME
SELECT
  b.kind || ':' || b.id AS entity, b.kind, b.id, b.name, b.first_seen, b.last_seen, b.sources, b.attributes,
  b.declared_from, b.declared_seen, b.observed_from, b.observed_seen, b.history, state AS meta_state, body
FROM (
  SELECT state, body, json_transform(body, '{
    "kind": "VARCHAR", "id": "VARCHAR", "name": "VARCHAR", "first_seen": "TIMESTAMP", "last_seen": "TIMESTAMP",
    "sources": ["VARCHAR"], "attributes": "JSON", "declared_from": "TIMESTAMP", "declared_seen": "TIMESTAMP",
    "observed_from": "TIMESTAMP", "observed_seen": "TIMESTAMP", "history": "JSON"}') AS b
  FROM batch WHERE state <> 'withdrawn');
