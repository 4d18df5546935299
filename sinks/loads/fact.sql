DELETE FROM facts WHERE id IN (SELECT id FROM batch WHERE state = 'withdrawn');
INSERT OR REPLACE INTO facts BY NAME
SELECT
  id, b.entity, b.name, b.instance, b.state, b.since, b.until, b.severity, b.confidence, b.title, b.tool,
  b.vulnerability, b.check AS check_id, b.package, b.fixed_version, b.location, meta_state, body
FROM (
  SELECT id, state AS meta_state, body, json_transform(body, '{
    "entity": "VARCHAR", "name": "VARCHAR", "instance": "VARCHAR", "state": "VARCHAR", "since": "TIMESTAMP",
    "until": "TIMESTAMP", "severity": "VARCHAR", "confidence": "DOUBLE", "title": "VARCHAR", "tool": "VARCHAR",
    "vulnerability": "VARCHAR", "check": "VARCHAR", "package": "VARCHAR", "fixed_version": "VARCHAR",
    "location": "VARCHAR"}') AS b
  FROM batch WHERE state <> 'withdrawn');
