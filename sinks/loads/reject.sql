INSERT OR REPLACE INTO rejects BY NAME
SELECT id, b.origin, b.sha256, b.source, b.reason, b.detail, b.size, body
FROM (
  SELECT id, body, json_transform(body, '{
    "origin": "VARCHAR", "sha256": "VARCHAR", "source": "VARCHAR", "reason": "VARCHAR", "detail": "VARCHAR",
    "size": "BIGINT"}') AS b
  FROM batch);
