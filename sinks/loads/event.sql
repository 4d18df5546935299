DELETE FROM events WHERE uid IN (SELECT id FROM batch WHERE state = 'withdrawn');
INSERT OR REPLACE INTO events BY NAME
SELECT
  id AS uid, b.time, b.source, b.class_uid, b.class_name, b.activity, b.status, b.severity, b.message,
  b.actor.kind || ':' || b.actor.id AS actor, b.client.ip AS client_ip,
  list_transform(b.entities, lambda e: e.kind || ':' || e.id) AS entities,
  b.evidence.origin AS origin, b.evidence.sha256 AS sha256, state AS meta_state, body
FROM (
  SELECT id, state, body, json_transform(body, '{
    "time": "TIMESTAMP", "source": "VARCHAR", "class_uid": "INTEGER", "class_name": "VARCHAR", "activity": "VARCHAR",
    "status": "VARCHAR", "severity": "VARCHAR", "message": "VARCHAR", "actor": {"kind": "VARCHAR", "id": "VARCHAR"},
    "client": {"ip": "VARCHAR"}, "entities": [{"kind": "VARCHAR", "id": "VARCHAR"}],
    "evidence": {"origin": "VARCHAR", "sha256": "VARCHAR"}}') AS b
  FROM batch WHERE state <> 'withdrawn');
