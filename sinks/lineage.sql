-- Lineage: what leads to what, now and as of a time. Read after schema.sql.

CREATE OR REPLACE VIEW deletions AS
SELECT entity, since, until FROM facts WHERE name = 'asset.state' AND instance = 'deleted';
COMMENT ON VIEW deletions IS 'What was deleted, and until when, if it is there again';

CREATE OR REPLACE MACRO gone_at(t) AS TABLE
SELECT entity FROM deletions
WHERE (t IS NULL AND until IS NULL) OR (since <= t AND (until IS NULL OR until > t));
COMMENT ON MACRO TABLE gone_at IS 'gone_at(time): what was deleted and not there again then; without a time, what is gone now';

-- edges_at(NULL) is what still holds; edges_at(t) what held at t. Nothing leads to what was deleted.
CREATE OR REPLACE MACRO edges_at(t) AS TABLE
SELECT
  from_entity, relation, to_entity, coalesce(declared_from <= coalesce(t, declared_from), declared) AS declared,
  coalesce(observed_from <= coalesce(t, observed_from), observed) AS observed, valid_from, valid_to, last_seen,
  coalesce(confidence, 1.0) AS confidence
FROM edges
WHERE ((t IS NULL AND valid_to IS NULL) OR (valid_from <= t AND (valid_to IS NULL OR valid_to > t)))
  AND from_entity NOT IN (SELECT entity FROM gone_at(t)) AND to_entity NOT IN (SELECT entity FROM gone_at(t));

CREATE OR REPLACE VIEW current_edges AS
SELECT from_entity, relation, to_entity, declared, observed, valid_from, last_seen, confidence FROM edges_at(NULL);
COMMENT ON VIEW current_edges IS 'Lineage that still holds';

-- One thing under two names is reached under both: same_as leads both ways.
CREATE OR REPLACE MACRO links_at(t) AS TABLE
SELECT from_entity, relation, to_entity, confidence FROM edges_at(t)
UNION ALL SELECT to_entity, relation, from_entity, confidence FROM edges_at(t) WHERE relation = 'same_as';

-- What an entity reaches, nearest first: each thing once, with the step over which it is reached. The confidence of a
-- path is the product of its steps.
CREATE OR REPLACE MACRO downstream(start, t, deepest) AS TABLE
WITH RECURSIVE reach(entity, depth, parent, relation, confidence) USING KEY (entity) AS (
  SELECT CAST(start AS VARCHAR), 0, CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR), CAST(1 AS DOUBLE)
  UNION
  SELECT
    e.to_entity, min(r.depth) + 1, min(e.from_entity), arg_min(e.relation, (e.from_entity, e.relation)),
    arg_min(CAST(r.confidence * e.confidence AS DOUBLE), (e.from_entity, e.relation))
  FROM reach AS r JOIN links_at(t) AS e ON e.from_entity = r.entity
  WHERE r.depth < deepest AND NOT EXISTS (FROM recurring.reach AS known WHERE known.entity = e.to_entity)
  GROUP BY e.to_entity
)
SELECT entity, depth, parent, relation, round(confidence, 4) AS confidence FROM reach WHERE depth > 0;

-- What reaches an entity: the same against the direction of the edges.
CREATE OR REPLACE MACRO upstream(start, t, deepest) AS TABLE
WITH RECURSIVE reach(entity, depth, parent, relation, confidence) USING KEY (entity) AS (
  SELECT CAST(start AS VARCHAR), 0, CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR), CAST(1 AS DOUBLE)
  UNION
  SELECT
    e.from_entity, min(r.depth) + 1, min(e.to_entity), arg_min(e.relation, (e.to_entity, e.relation)),
    arg_min(CAST(r.confidence * e.confidence AS DOUBLE), (e.to_entity, e.relation))
  FROM reach AS r JOIN links_at(t) AS e ON e.to_entity = r.entity
  WHERE r.depth < deepest AND NOT EXISTS (FROM recurring.reach AS known WHERE known.entity = e.from_entity)
  GROUP BY e.from_entity
)
SELECT entity, depth, parent, relation, round(confidence, 4) AS confidence FROM reach WHERE depth > 0;

COMMENT ON MACRO TABLE edges_at IS 'edges_at(time): the edges that held then; edges_at(NULL): those that still hold';
COMMENT ON MACRO TABLE links_at IS 'links_at(time): the same, with same_as in both directions';
COMMENT ON MACRO TABLE downstream IS 'downstream(entity, time, depth): what it reaches, each thing once';
COMMENT ON MACRO TABLE upstream IS 'upstream(entity, time, depth): what reaches it, each thing once';

-- The smallest of all names of one thing stands for it, of those with a # (`<file>#<name>`, as a configuration calls it)
-- only where there is no other.
CREATE OR REPLACE VIEW identities AS
WITH RECURSIVE same(entity, other) AS (
  SELECT from_entity, to_entity FROM links_at(NULL) WHERE relation = 'same_as'
  UNION
  SELECT s.entity, e.to_entity FROM same AS s JOIN links_at(NULL) AS e
  ON e.from_entity = s.other AND e.relation = 'same_as'
)
SELECT
  entity, arg_min(name, (contains(name, '#'), name)) AS canonical
FROM (SELECT entity, unnest([entity, other]) AS name FROM same) GROUP BY entity;
COMMENT ON VIEW identities IS 'Names that same_as makes one thing, each with the name that stands for it';

CREATE OR REPLACE VIEW things AS
SELECT a.entity, coalesce(i.canonical, a.entity) AS thing
FROM (SELECT entity FROM assets UNION SELECT unnest([from_entity, to_entity]) FROM edges) AS a
LEFT JOIN identities AS i USING (entity);
COMMENT ON VIEW things IS 'Every name with the thing that it is a name of';
