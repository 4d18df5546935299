-- The tables of the store. One row per id, the newest state of it. Times are UTC; `body` is the whole record;
-- `meta_state` is provisional, settled, final or withdrawn. Entities are texts `kind:id`.

CREATE TABLE IF NOT EXISTS events (
  uid VARCHAR PRIMARY KEY, time TIMESTAMP, source VARCHAR, class_uid INTEGER, class_name VARCHAR, activity VARCHAR,
  status VARCHAR, severity VARCHAR, message VARCHAR, actor VARCHAR, client_ip VARCHAR, entities VARCHAR[],
  origin VARCHAR, sha256 VARCHAR, meta_state VARCHAR, body JSON);
COMMENT ON TABLE events IS 'Normalised records that carried a signal or a fact; origin and sha256 lead to the raw bytes';

CREATE TABLE IF NOT EXISTS signals (
  id VARCHAR PRIMARY KEY, time TIMESTAMP, detection VARCHAR, title VARCHAR, level VARCHAR, confidence DOUBLE,
  family VARCHAR, event VARCHAR, entities VARCHAR[], tags VARCHAR[], meta_state VARCHAR, body JSON);
COMMENT ON TABLE signals IS 'A detection matched an event';

CREATE TABLE IF NOT EXISTS findings (
  id VARCHAR PRIMARY KEY, rule VARCHAR, title VARCHAR, level VARCHAR, group_values JSON, first_time TIMESTAMP,
  onset_time TIMESTAMP, last_time TIMESTAMP, count BIGINT, confidence DOUBLE, entities VARCHAR[], tags VARCHAR[],
  body_sha256 VARCHAR, meta_state VARCHAR, revision INTEGER, supersedes VARCHAR, superseded_by VARCHAR,
  emitted TIMESTAMP, body JSON);
COMMENT ON TABLE findings IS 'One episode in which a correlation held';

CREATE TABLE IF NOT EXISTS alerts (
  id VARCHAR PRIMARY KEY, thread VARCHAR, convergence VARCHAR, stage VARCHAR, peak_stage VARCHAR, status VARCHAR,
  system VARCHAR, title VARCHAR, summary VARCHAR, priority INTEGER, confidence DOUBLE, severity VARCHAR,
  entities VARCHAR[], tags VARCHAR[], first_time TIMESTAMP, onset_time TIMESTAMP, last_time TIMESTAMP,
  expires_at TIMESTAMP, body_sha256 VARCHAR, meta_state VARCHAR, revision INTEGER, supersedes VARCHAR,
  superseded_by VARCHAR, emitted TIMESTAMP, body JSON);
COMMENT ON TABLE alerts IS 'One episode of one convergence on one AI system; priority is that of last_time';

CREATE TABLE IF NOT EXISTS scores (
  alert VARCHAR, revision INTEGER, number INTEGER, time TIMESTAMP, term VARCHAR, value DOUBLE, weight BIGINT,
  points BIGINT, half_life VARCHAR, PRIMARY KEY (alert, revision, number));
COMMENT ON TABLE scores IS 'The score ledger: one row per term of each stored revision; points are thousandths of log-odds and add up';

CREATE TABLE IF NOT EXISTS assets (
  entity VARCHAR PRIMARY KEY, kind VARCHAR, id VARCHAR, name VARCHAR, first_seen TIMESTAMP, last_seen TIMESTAMP,
  sources VARCHAR[], attributes JSON, declared_from TIMESTAMP, declared_seen TIMESTAMP, observed_from TIMESTAMP,
  observed_seen TIMESTAMP, history JSON, meta_state VARCHAR, body JSON);
COMMENT ON TABLE assets IS 'Every thing that a source named; declared by an inventory or configuration, observed at work, or only scanned';

CREATE TABLE IF NOT EXISTS edges (
  id VARCHAR PRIMARY KEY, from_entity VARCHAR, relation VARCHAR, to_entity VARCHAR, declared BOOLEAN,
  observed BOOLEAN, valid_from TIMESTAMP, valid_to TIMESTAMP, last_seen TIMESTAMP, declared_from TIMESTAMP,
  declared_seen TIMESTAMP, observed_from TIMESTAMP, observed_seen TIMESTAMP, confidence DOUBLE, meta_state VARCHAR,
  body JSON);
COMMENT ON TABLE edges IS 'Lineage: from_entity -relation-> to_entity, from valid_from until before valid_to (none: it still holds)';

CREATE TABLE IF NOT EXISTS facts (
  id VARCHAR PRIMARY KEY, entity VARCHAR, name VARCHAR, instance VARCHAR, state VARCHAR, since TIMESTAMP,
  until TIMESTAMP, severity VARCHAR, confidence DOUBLE, title VARCHAR, tool VARCHAR, vulnerability VARCHAR,
  check_id VARCHAR, package VARCHAR, fixed_version VARCHAR, location VARCHAR, meta_state VARCHAR, body JSON);
COMMENT ON TABLE facts IS 'Posture: what holds of an entity from since on, until it is closed; a row for each time that it holds';

CREATE TABLE IF NOT EXISTS systems (
  id VARCHAR PRIMARY KEY, name VARCHAR, root VARCHAR, members VARCHAR[], meta_state VARCHAR, body JSON);
COMMENT ON TABLE systems IS 'AI systems: a declared root and what lineage reaches from it';

CREATE TABLE IF NOT EXISTS forecasts (
  id VARCHAR PRIMARY KEY, alert VARCHAR, system VARCHAR, issued TIMESTAMP, technique VARCHAR, probability DOUBLE,
  horizon VARCHAR, until TIMESTAMP, outcome VARCHAR, outcome_time TIMESTAMP, meta_state VARCHAR, body JSON);
COMMENT ON TABLE forecasts IS 'A probable next technique; outcome is open, hit or false_alarm';

CREATE TABLE IF NOT EXISTS controls (
  framework VARCHAR, control VARCHAR, scope VARCHAR, title VARCHAR, status VARCHAR, severity VARCHAR, reason VARCHAR,
  assessed_at TIMESTAMP, fresh_until TIMESTAMP, body JSON, PRIMARY KEY (framework, control, scope));
COMMENT ON TABLE controls IS 'Controls of frameworks, of the estate and of each AI system; status is pass, fail or not_assessed; fresh_until is when time alone ends the answer, and empty if only news does';

CREATE TABLE IF NOT EXISTS criteria (
  criterion VARCHAR, scope VARCHAR, title VARCHAR, status VARCHAR, severity VARCHAR, assessed_at TIMESTAMP,
  fresh_until TIMESTAMP, body JSON, PRIMARY KEY (criterion, scope));
COMMENT ON TABLE criteria IS 'What controls rest on: each criterion with the evidence for and against it, and what was not heard; status may be not_applicable, too';

CREATE TABLE IF NOT EXISTS rejects (
  id VARCHAR PRIMARY KEY, origin VARCHAR, sha256 VARCHAR, source VARCHAR, reason VARCHAR, detail VARCHAR, size BIGINT,
  body JSON);
COMMENT ON TABLE rejects IS 'Records that could not be read';

CREATE TABLE IF NOT EXISTS late (
  id VARCHAR PRIMARY KEY, origin VARCHAR, source VARCHAR, time TIMESTAMP, watermark TIMESTAMP, body JSON);
COMMENT ON TABLE late IS 'Parsed records that came behind the watermark of their input';

-- Columns that a store of an older version lacks.
ALTER TABLE assets ADD COLUMN IF NOT EXISTS declared_from TIMESTAMP;
ALTER TABLE assets ADD COLUMN IF NOT EXISTS declared_seen TIMESTAMP;
ALTER TABLE assets ADD COLUMN IF NOT EXISTS observed_from TIMESTAMP;
ALTER TABLE assets ADD COLUMN IF NOT EXISTS observed_seen TIMESTAMP;
ALTER TABLE assets ADD COLUMN IF NOT EXISTS history JSON;
ALTER TABLE edges ADD COLUMN IF NOT EXISTS observed BOOLEAN;
ALTER TABLE edges ADD COLUMN IF NOT EXISTS declared_from TIMESTAMP;
ALTER TABLE edges ADD COLUMN IF NOT EXISTS declared_seen TIMESTAMP;
ALTER TABLE edges ADD COLUMN IF NOT EXISTS observed_from TIMESTAMP;
ALTER TABLE edges ADD COLUMN IF NOT EXISTS observed_seen TIMESTAMP;
ALTER TABLE edges ADD COLUMN IF NOT EXISTS confidence DOUBLE;
ALTER TABLE facts ADD COLUMN IF NOT EXISTS tool VARCHAR;
ALTER TABLE facts ADD COLUMN IF NOT EXISTS vulnerability VARCHAR;
ALTER TABLE facts ADD COLUMN IF NOT EXISTS check_id VARCHAR;
ALTER TABLE facts ADD COLUMN IF NOT EXISTS package VARCHAR;
ALTER TABLE facts ADD COLUMN IF NOT EXISTS fixed_version VARCHAR;
ALTER TABLE facts ADD COLUMN IF NOT EXISTS location VARCHAR;
ALTER TABLE controls ADD COLUMN IF NOT EXISTS severity VARCHAR;
ALTER TABLE controls ADD COLUMN IF NOT EXISTS reason VARCHAR;
