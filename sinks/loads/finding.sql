-- A withdrawn finding is kept and marked: somebody may have been told of it.
INSERT OR REPLACE INTO findings BY NAME
SELECT
  id, b.rule, b.title, b.level, b.group AS group_values, b.first_time, b.onset_time, b.last_time, b.count,
  b.confidence, list_transform(b.entities, lambda e: e.kind || ':' || e.id) AS entities, b.tags, b.body_sha256,
  state AS meta_state, b.meta.revision, b.meta.supersedes, b.meta.superseded_by, b.meta.emitted, body
FROM (
  SELECT id, state, body, json_transform(body, '{
    "rule": "VARCHAR", "title": "VARCHAR", "level": "VARCHAR", "group": "JSON", "first_time": "TIMESTAMP",
    "onset_time": "TIMESTAMP", "last_time": "TIMESTAMP", "count": "BIGINT", "confidence": "DOUBLE",
    "entities": [{"kind": "VARCHAR", "id": "VARCHAR"}], "tags": ["VARCHAR"], "body_sha256": "VARCHAR",
    "meta": {"revision": "INTEGER", "supersedes": "VARCHAR", "superseded_by": "VARCHAR", "emitted": "TIMESTAMP"}}') AS b
  FROM batch);
