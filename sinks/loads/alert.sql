-- A withdrawn alert is kept and marked: somebody may have been told of it.
INSERT OR REPLACE INTO alerts BY NAME
SELECT
  id, b.thread, b.convergence, b.stage, b.peak_stage, b.status, b.system, b.title, b.summary, b.priority,
  b.confidence, b.severity, list_transform(b.entities, lambda e: e.kind || ':' || e.id) AS entities, b.tags,
  b.first_time, b.onset_time, b.last_time, b.expires_at, b.body_sha256, state AS meta_state, b.meta.revision,
  b.meta.supersedes, coalesce(b.superseded_by, b.meta.superseded_by) AS superseded_by, b.meta.emitted, body
FROM (
  SELECT id, state, body, json_transform(body, '{
    "thread": "VARCHAR", "convergence": "VARCHAR", "stage": "VARCHAR", "peak_stage": "VARCHAR", "status": "VARCHAR",
    "superseded_by": "VARCHAR",
    "system": "VARCHAR", "title": "VARCHAR", "summary": "VARCHAR", "priority": "INTEGER", "confidence": "DOUBLE",
    "severity": "VARCHAR", "entities": [{"kind": "VARCHAR", "id": "VARCHAR"}], "tags": ["VARCHAR"],
    "first_time": "TIMESTAMP", "onset_time": "TIMESTAMP", "last_time": "TIMESTAMP", "expires_at": "TIMESTAMP",
    "body_sha256": "VARCHAR", "meta": {"revision": "INTEGER", "supersedes": "VARCHAR", "superseded_by": "VARCHAR",
    "emitted": "TIMESTAMP"}}') AS b
  FROM batch WHERE newest);
-- The ledger of every stored revision stays: it is how a priority came to change.
INSERT OR REPLACE INTO scores BY NAME
SELECT alert, revision, number, time, term.term, term.value, term.weight, term.points, term.half_life
FROM (
  SELECT
    id AS alert, b.meta.revision, b.last_time AS time, unnest(b.why) AS term, generate_subscripts(b.why, 1) AS number
  FROM (
    SELECT id, json_transform(body, '{
      "last_time": "TIMESTAMP", "meta": {"revision": "INTEGER"}, "why": [{"term": "VARCHAR", "value": "DOUBLE",
      "weight": "BIGINT", "points": "BIGINT", "half_life": "VARCHAR"}]}') AS b
    FROM batch));
