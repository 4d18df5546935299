-- A withdrawn signal is kept and marked: somebody may have been told of it.
INSERT OR REPLACE INTO signals BY NAME
SELECT
  id, b.time, b.detection, b.title, b.level, b.confidence, b.family, b.event,
  list_transform(b.entities, lambda e: e.kind || ':' || e.id) AS entities, b.tags, state AS meta_state, body
FROM (
  SELECT id, state, body, json_transform(body, '{
    "time": "TIMESTAMP", "detection": "VARCHAR", "title": "VARCHAR", "level": "VARCHAR", "confidence": "DOUBLE",
    "family": "VARCHAR", "event": "VARCHAR", "entities": [{"kind": "VARCHAR", "id": "VARCHAR"}],
    "tags": ["VARCHAR"]}') AS b
  FROM batch);
