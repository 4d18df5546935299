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

-- Steps in one direction: with the edges, or against them.
CREATE OR REPLACE MACRO steps_at(t, along) AS TABLE
SELECT
  CASE WHEN along THEN from_entity ELSE to_entity END AS near, relation,
  CASE WHEN along THEN to_entity ELSE from_entity END AS far, confidence
FROM links_at(t);

-- What is reached over such steps, nearest first: each thing once, with the step over which it is reached. The
-- confidence of a path is the product of its steps.
CREATE OR REPLACE MACRO reached(start, t, deepest, along) AS TABLE
WITH RECURSIVE reach(entity, depth, parent, relation, confidence) USING KEY (entity) AS (
  SELECT CAST(start AS VARCHAR), 0, CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR), CAST(1 AS DOUBLE)
  UNION
  SELECT
    s.far, min(r.depth) + 1, min(s.near), arg_min(s.relation, (s.near, s.relation)),
    arg_min(CAST(r.confidence * s.confidence AS DOUBLE), (s.near, s.relation))
  FROM reach AS r JOIN steps_at(t, along) AS s ON s.near = r.entity
  WHERE r.depth < deepest AND NOT EXISTS (FROM recurring.reach AS known WHERE known.entity = s.far)
  GROUP BY s.far
)
SELECT entity, depth, parent, relation, round(confidence, 4) AS confidence FROM reach WHERE depth > 0;

CREATE OR REPLACE MACRO downstream(start, t, deepest) AS TABLE FROM reached(start, t, deepest, true);
CREATE OR REPLACE MACRO upstream(start, t, deepest) AS TABLE FROM reached(start, t, deepest, false);

COMMENT ON MACRO TABLE edges_at IS 'edges_at(time): the edges that held then; edges_at(NULL): those that still hold';
COMMENT ON MACRO TABLE links_at IS 'links_at(time): the same, with same_as in both directions';
COMMENT ON MACRO TABLE steps_at IS 'steps_at(time, along): the same as steps from near to far, along the edges or against them';
COMMENT ON MACRO TABLE reached IS 'reached(entity, time, depth, along): what such steps lead to, each thing once';
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
