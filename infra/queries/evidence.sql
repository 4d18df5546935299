-- The evidence chain of an alert (its id or the start of it; else the most pressing): each term, its records, where they lie
-- param alert: VARCHAR = NULL
WITH chosen AS (
  SELECT id, title, body FROM alerts
  WHERE CASE WHEN $alert IS NULL
    THEN id = (SELECT id FROM open_alerts ORDER BY priority DESC, last_time DESC, id LIMIT 1)
    ELSE starts_with(id, $alert) END),
terms AS (
  SELECT id, unnest(json_transform(body -> 'why', '[{"term": "VARCHAR", "points": "BIGINT",
    "evidence": [{"event": "VARCHAR", "sha256": "VARCHAR"}]}]')) AS t FROM chosen),
proofs AS (SELECT id, t.term AS term, t.points AS points, unnest(t.evidence) AS proof FROM terms)
SELECT
  p.id AS alert, p.term, p.points, e.time, e.source, e.activity, e.actor, p.proof.event AS event, e.origin,
  p.proof.sha256 AS sha256
FROM proofs AS p LEFT JOIN events AS e ON e.uid = p.proof.event
ORDER BY p.id, abs(p.points) DESC, p.term, e.time, p.proof.event
