-- Time travel: what was known and held at a time, and what changed between two. Read after inventory.sql.
-- A time is a TIMESTAMP or a text of one; times are UTC.

CREATE OR REPLACE MACRO edges_as_of(t) AS TABLE
FROM edges_at(CAST(t AS TIMESTAMP));
COMMENT ON MACRO TABLE edges_as_of IS 'edges_as_of(time): the lineage that held then';

-- Of each attribute the value that was said last by then; of several sources that say it together the surest.
CREATE OR REPLACE MACRO attributes_as_of(t) AS TABLE
SELECT
  entity, name,
  arg_max(value, (least(last_seen, CAST(t AS TIMESTAMP)), coalesce(confidence, 0), first_seen, source)) AS value
FROM asset_attributes WHERE first_seen <= CAST(t AS TIMESTAMP) GROUP BY entity, name;
COMMENT ON MACRO TABLE attributes_as_of IS 'attributes_as_of(time): each attribute of each thing as it was known then';

CREATE OR REPLACE MACRO assets_as_of(t) AS TABLE
SELECT
  a.entity, a.kind, a.name, a.first_seen, coalesce(a.declared_from <= CAST(t AS TIMESTAMP), false) AS declared,
  coalesce(a.observed_from <= CAST(t AS TIMESTAMP), false) AS observed,
  coalesce(s.attributes, MAP {}) AS attributes
FROM assets AS a
LEFT JOIN (
  SELECT entity, map_from_entries(list((name, CAST(value AS VARCHAR)) ORDER BY name)) AS attributes
  FROM attributes_as_of(t) GROUP BY entity) AS s USING (entity)
WHERE a.first_seen <= CAST(t AS TIMESTAMP) AND a.entity NOT IN (SELECT entity FROM gone_at(CAST(t AS TIMESTAMP)));
COMMENT ON MACRO TABLE assets_as_of IS 'assets_as_of(time): the things that were known then, with their attributes as they were';

CREATE OR REPLACE MACRO changed(t1, t2) AS TABLE
WITH
then_assets AS MATERIALIZED (FROM assets_as_of(t1)), now_assets AS MATERIALIZED (FROM assets_as_of(t2)),
then_edges AS MATERIALIZED (SELECT from_entity, relation, to_entity, min(valid_from) AS valid_from FROM edges_as_of(t1) GROUP BY ALL),
now_edges AS MATERIALIZED (SELECT from_entity, relation, to_entity, min(valid_from) AS valid_from FROM edges_as_of(t2) GROUP BY ALL)
SELECT n.first_seen AS time, 'asset' AS what, 'appeared' AS change, n.entity AS entity, n.kind AS detail
FROM now_assets AS n ANTI JOIN then_assets USING (entity)
UNION ALL
SELECT (SELECT max(since) FROM deletions AS d WHERE d.entity = b.entity AND since <= CAST(t2 AS TIMESTAMP)), 'asset',
  'deleted', b.entity, b.kind
FROM then_assets AS b ANTI JOIN now_assets USING (entity)
UNION ALL
SELECT NULL, 'attribute', 'changed', n.entity, concat(n.name, ': ', coalesce(CAST(b.value AS VARCHAR), 'none'), ' -> ',
  CAST(n.value AS VARCHAR))
FROM attributes_as_of(t2) AS n
JOIN then_assets AS known USING (entity)
LEFT JOIN attributes_as_of(t1) AS b ON b.entity = n.entity AND b.name = n.name
WHERE b.value IS DISTINCT FROM n.value
UNION ALL
SELECT n.valid_from, 'edge', 'began', n.from_entity, concat(n.relation, ' ', n.to_entity)
FROM now_edges AS n ANTI JOIN then_edges USING (from_entity, relation, to_entity)
UNION ALL
SELECT (SELECT max(e.valid_to) FROM edges AS e WHERE e.from_entity = b.from_entity AND e.relation = b.relation
  AND e.to_entity = b.to_entity AND e.valid_to <= CAST(t2 AS TIMESTAMP)), 'edge', 'ended', b.from_entity,
  concat(b.relation, ' ', b.to_entity)
FROM then_edges AS b ANTI JOIN now_edges USING (from_entity, relation, to_entity)
UNION ALL
SELECT since, 'fact', 'opened', entity, concat_ws(' ', name, coalesce(vulnerability, check_id, nullif(instance, '')))
FROM facts WHERE since > CAST(t1 AS TIMESTAMP) AND since <= CAST(t2 AS TIMESTAMP)
UNION ALL
SELECT until, 'fact', 'closed', entity, concat_ws(' ', name, coalesce(vulnerability, check_id, nullif(instance, '')))
FROM facts WHERE until > CAST(t1 AS TIMESTAMP) AND until <= CAST(t2 AS TIMESTAMP)
UNION ALL
SELECT onset_time, 'alert', 'began', system, concat(stage, ': ', title)
FROM alerts
WHERE meta_state <> 'withdrawn' AND onset_time > CAST(t1 AS TIMESTAMP) AND onset_time <= CAST(t2 AS TIMESTAMP);
COMMENT ON MACRO TABLE changed IS 'changed(time, later): what appeared, went, began, ended, opened and closed between the two';
