-- Inventory: what there is, how it is known, and what is weak in it. Read after lineage.sql.

-- `ai`: a thing that can be shadow AI. `declarable`: something that a bill of materials or configuration would name.
CREATE OR REPLACE VIEW kinds AS
FROM (VALUES
  ('application', 1, 'applications', true, true),
  ('model', 2, 'models and endpoints', true, true),
  ('endpoint', 2, 'models and endpoints', true, true),
  ('guardrail', 2, 'models and endpoints', false, true),
  ('agent', 3, 'agents and tools', true, true),
  ('tool', 3, 'agents and tools', true, true),
  ('mcp_server', 3, 'agents and tools', true, true),
  ('skill', 3, 'agents and tools', true, true),
  ('session', 3, 'agents and tools', false, false),
  ('datastore', 4, 'data, code, infrastructure', false, true),
  ('dataset', 4, 'data, code, infrastructure', false, true),
  ('job', 4, 'data, code, infrastructure', false, false),
  ('repo', 4, 'data, code, infrastructure', false, true),
  ('image', 4, 'data, code, infrastructure', false, true),
  ('workload', 4, 'data, code, infrastructure', false, true),
  ('host', 4, 'data, code, infrastructure', false, true),
  ('account', 4, 'data, code, infrastructure', false, false),
  ('principal', 4, 'data, code, infrastructure', false, false),
  ('apikey', 4, 'data, code, infrastructure', false, false),
  ('vulnerability', 4, 'data, code, infrastructure', false, false)
) AS known(kind, layer_number, layer, ai, declarable);
COMMENT ON VIEW kinds IS 'The layer of each kind of thing; whether it is AI, and whether somebody would declare it';

CREATE OR REPLACE VIEW inventory AS
SELECT
  coalesce(i.canonical, a.entity) AS entity, list(a.entity ORDER BY a.entity) AS names, any_value(k.kind) AS kind,
  any_value(k.layer_number) AS layer_number, any_value(k.layer) AS layer, any_value(k.ai) AS ai,
  any_value(k.declarable) AS declarable, arg_min(a.name, a.entity) AS name, min(a.first_seen) AS first_seen,
  max(a.last_seen) AS last_seen, min(a.declared_from) AS declared_from, max(a.declared_seen) AS declared_seen,
  min(a.observed_from) AS observed_from, max(a.observed_seen) AS observed_seen,
  list_sort(list_distinct(flatten(list(a.sources)))) AS sources, max(d.since) AS deleted
FROM assets AS a
JOIN kinds AS k USING (kind)
LEFT JOIN identities AS i USING (entity)
LEFT JOIN deletions AS d ON d.entity = a.entity AND d.until IS NULL
GROUP BY ALL;
COMMENT ON VIEW inventory IS 'Every thing once, under all its names, with its layer and how it is known';

CREATE OR REPLACE VIEW asset_attributes AS
SELECT entity, h.name, h.value, h.source, h.first_seen, h.last_seen, h.confidence
FROM (
  SELECT entity, unnest(json_transform(history, '[{"name": "VARCHAR", "value": "JSON", "source": "VARCHAR",
    "first_seen": "TIMESTAMP", "last_seen": "TIMESTAMP", "confidence": "DOUBLE"}]')) AS h
  FROM assets);
COMMENT ON VIEW asset_attributes IS 'Each value of each attribute of a thing: which source said it, from when to when, how sure it is';

CREATE OR REPLACE VIEW asset_counts AS
SELECT
  layer, kind, count(*) AS things, count(declared_from) AS declared, count(observed_from) AS observed,
  count(*) FILTER (declared_from IS NOT NULL AND observed_from IS NOT NULL) AS both_ways
FROM inventory WHERE deleted IS NULL
GROUP BY layer_number, layer, kind ORDER BY layer_number, kind;
COMMENT ON VIEW asset_counts IS 'How many things there are of each kind and layer, and how they are known';

CREATE OR REPLACE VIEW edge_counts AS
SELECT
  relation, count(*) AS edges, count(*) FILTER (declared) AS declared, count(*) FILTER (observed) AS observed,
  count(*) FILTER (declared AND observed) AS both_ways
FROM current_edges GROUP BY relation ORDER BY relation;
COMMENT ON VIEW edge_counts IS 'How many edges of each relation hold, and how they are known';

CREATE OR REPLACE VIEW thing_systems AS
SELECT t.thing AS entity, list(DISTINCT m.system ORDER BY m.system) AS systems
FROM system_members AS m JOIN things AS t USING (entity) GROUP BY t.thing;
COMMENT ON VIEW thing_systems IS 'The AI systems of a thing, under all its names';

-- A tool is known with the server that serves it.
CREATE OR REPLACE VIEW shadow_ai AS
WITH served AS (
  SELECT f.thing AS entity, list(DISTINCT t.thing ORDER BY t.thing) AS servers, bool_or(s.declared_from IS NOT NULL) AS known
  FROM current_edges AS e
  JOIN things AS f ON f.entity = e.from_entity
  JOIN things AS t ON t.entity = e.to_entity
  LEFT JOIN inventory AS s ON s.entity = t.thing
  WHERE e.relation = 'served_by' GROUP BY f.thing)
SELECT
  i.entity, i.names, i.kind, i.layer, i.name, i.first_seen, i.last_seen, i.sources,
  coalesce(s.servers, []) AS servers, coalesce(y.systems, []) AS systems
FROM inventory AS i
LEFT JOIN served AS s USING (entity)
LEFT JOIN thing_systems AS y USING (entity)
WHERE i.ai AND i.observed_from IS NOT NULL AND i.declared_from IS NULL AND i.deleted IS NULL
  AND NOT coalesce(s.known, false);
COMMENT ON VIEW shadow_ai IS 'AI that was observed at work and that no inventory or configuration declares';

CREATE OR REPLACE VIEW stale_keys AS
SELECT
  i.entity, i.last_seen, list(DISTINCT e.from_entity ORDER BY e.from_entity) FILTER (e.from_entity IS NOT NULL) AS owners,
  date_diff('day', i.last_seen, greatest(
    (SELECT max(last_seen) FROM assets), (SELECT max(time) FROM events))) AS quiet_days
FROM inventory AS i
LEFT JOIN things AS t ON t.thing = i.entity
LEFT JOIN current_edges AS e ON e.relation = 'owns' AND e.to_entity = t.entity
WHERE i.kind = 'apikey' AND i.deleted IS NULL
GROUP BY i.entity, i.last_seen;
COMMENT ON VIEW stale_keys IS 'Keys with their owners, and for how many days before the newest record nobody used them';

CREATE OR REPLACE VIEW private_data AS
SELECT DISTINCT entity FROM facts
WHERE state = 'open' AND (name = 'holds_private_data' OR (name = 'asset.data' AND instance IN (
  'biometric', 'confidential', 'credentials', 'financial', 'health', 'payment', 'personal', 'pii', 'secret')));
COMMENT ON VIEW private_data IS 'Things that hold data by which people or their money can be harmed';

CREATE OR REPLACE VIEW vulnerability_intel AS
SELECT v.vulnerability, k.kev_since, s.epss, s.epss_time
FROM (SELECT DISTINCT vulnerability FROM facts WHERE vulnerability IS NOT NULL) AS v
LEFT JOIN (
  SELECT entity, max(since) AS kev_since FROM facts
  WHERE name = 'known_exploited_vulnerability' AND state = 'open' GROUP BY entity
) AS k ON k.entity = 'vulnerability:' || v.vulnerability
LEFT JOIN (
  SELECT
    entities[1] AS entity, max(time) AS epss_time,
    arg_max(CAST(body ->> '$.attributes."vulnerability.epss"' AS DOUBLE), time) AS epss
  FROM events WHERE source = 'epss' GROUP BY ALL
) AS s ON s.entity = 'vulnerability:' || v.vulnerability;
COMMENT ON VIEW vulnerability_intel IS 'What is known in general of the vulnerabilities that were found: exploited since, and how likely';

-- Which assets had which vulnerability at t (NULL: have it now): any tool says so, and no VEX statement stands against it.
CREATE OR REPLACE MACRO affected_at(t) AS TABLE
SELECT f.entity, f.vulnerability, min(f.since) AS since, list(DISTINCT f.tool ORDER BY f.tool) AS said_by
FROM facts AS f
WHERE f.name = 'finding' AND f.vulnerability IS NOT NULL
  AND ((t IS NULL AND f.state = 'open') OR (f.since <= t AND (f.until IS NULL OR f.until > t)))
  AND NOT EXISTS (
    FROM facts AS v WHERE v.name = 'vex' AND v.entity = f.entity AND v.instance = f.vulnerability
    AND ((t IS NULL AND v.state = 'open') OR (v.since <= t AND (v.until IS NULL OR v.until > t))))
GROUP BY ALL;
COMMENT ON MACRO TABLE affected_at IS 'affected_at(time): which assets had which vulnerability then; without a time, which have it now';

-- A vulnerability is no thing: what is known of it is posture of the things that have it.
CREATE OR REPLACE VIEW posture AS
SELECT entity, name, instance, severity, confidence, title, since FROM estate_facts WHERE state = 'open'
UNION ALL
SELECT a.entity, f.name, a.vulnerability, f.severity, f.confidence, f.title, greatest(a.since, f.since)
FROM affected_at(NULL) AS a
JOIN facts AS f ON f.entity = 'vulnerability:' || a.vulnerability AND f.state = 'open';
COMMENT ON VIEW posture IS 'Facts that are open on things that are there';

-- One row for one weakness of one asset, however many scanners and rows say it. A VEX statement that is open wins.
CREATE OR REPLACE VIEW weaknesses AS
SELECT
  f.entity, coalesce(f.vulnerability, f.check_id, f.package, f.title) AS weakness,
  CASE WHEN any_value(v.tool) IS NOT NULL THEN 'waived' WHEN bool_or(f.state = 'open') THEN 'open' ELSE 'resolved' END
    AS state,
  arg_max(f.severity, (f.state = 'open', list_position(['informational', 'low', 'medium', 'high', 'critical'],
    f.severity))) AS severity,
  coalesce(min(f.since) FILTER (f.state = 'open'), min(f.since)) AS since,
  CASE WHEN bool_or(f.state = 'open') THEN NULL ELSE max(f.until) END AS until,
  list(DISTINCT f.tool ORDER BY f.tool) FILTER (f.state = 'open') AS said_by,
  list(DISTINCT f.package ORDER BY f.package) FILTER (f.package IS NOT NULL) AS packages,
  list(DISTINCT f.fixed_version ORDER BY f.fixed_version) FILTER (f.fixed_version IS NOT NULL) AS fixed_versions,
  any_value(i.kev_since) AS kev_since, any_value(i.epss) AS epss, any_value(v.tool) AS waived_by,
  any_value(v.title) AS waiver, count(*) AS rows
FROM facts AS f
LEFT JOIN facts AS v ON v.name = 'vex' AND v.state = 'open' AND v.entity = f.entity AND v.instance = f.vulnerability
LEFT JOIN vulnerability_intel AS i ON i.vulnerability = f.vulnerability
WHERE f.name = 'finding'
GROUP BY ALL;
COMMENT ON VIEW weaknesses IS 'Findings of all scanners, folded by asset and vulnerability, check or package: who says so, since when, how bad, exploited or not';
