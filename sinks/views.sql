-- Views over the tables of schema.sql, which the other files rest on.

CREATE OR REPLACE VIEW newest AS
SELECT greatest(
  (SELECT max(time) FROM events), (SELECT max(time) FROM signals), (SELECT max(last_seen) FROM assets),
  (SELECT max(last_time) FROM alerts)) AS time;
COMMENT ON VIEW newest IS 'The newest time in the store: what a query takes for now';

CREATE OR REPLACE MACRO of_kind(entities, kind) AS list_filter(entities, lambda e: starts_with(e, kind || ':'));
COMMENT ON MACRO of_kind IS 'of_kind(entities, kind): those entities of a list that are of one kind';

CREATE OR REPLACE MACRO attribute(body, name) AS body ->> ('$.attributes."' || name || '"');
COMMENT ON MACRO attribute IS 'attribute(body, name): an attribute of an event or asset as text; docs/normal-form.md has the names';

CREATE OR REPLACE VIEW open_alerts AS
SELECT
  id, stage, priority, confidence, severity, system, convergence, title, entities, first_time, onset_time, last_time,
  expires_at, revision
FROM alerts
WHERE status = 'open' AND meta_state <> 'withdrawn';
COMMENT ON VIEW open_alerts IS 'Alerts that need a human';

-- What a feed says of a vulnerability in general concerns nobody here before something is found to have it.
CREATE OR REPLACE VIEW estate_facts AS
FROM facts WHERE NOT starts_with(entity, 'vulnerability:');
COMMENT ON VIEW estate_facts IS 'Facts that count: of things, not of vulnerabilities in general, of which a feed names thousands';

CREATE OR REPLACE VIEW system_members AS
SELECT name AS system, root, unnest(members) AS entity FROM systems;
COMMENT ON VIEW system_members IS 'Which entity belongs to which AI system';

CREATE OR REPLACE VIEW alert_evidence AS
SELECT a.id AS alert, a.evidence.event AS event, a.evidence.sha256 AS sha256, e.origin, e.source, e.time
FROM (
  SELECT id, unnest(json_transform(body -> 'evidence', '[{"event":"VARCHAR","sha256":"VARCHAR"}]')) AS evidence FROM alerts
) AS a
LEFT JOIN events AS e ON e.uid = a.evidence.event;
COMMENT ON VIEW alert_evidence IS 'Where the raw record behind each claim of an alert lies';

CREATE OR REPLACE VIEW forecast_verification AS
SELECT
  technique,
  count(*) AS issued,
  count(*) FILTER (outcome = 'hit') AS hits,
  count(*) FILTER (outcome = 'false_alarm') AS false_alarms,
  count(*) FILTER (outcome = 'open') AS undecided,
  round(avg(probability) FILTER (outcome <> 'open'), 4) AS mean_probability,
  round(avg(CAST(outcome = 'hit' AS INTEGER)) FILTER (outcome <> 'open'), 4) AS hit_rate,
  round(avg(power(probability - CAST(outcome = 'hit' AS INTEGER), 2)) FILTER (outcome <> 'open'), 4) AS brier
FROM forecasts
WHERE meta_state <> 'withdrawn'
GROUP BY technique;
COMMENT ON VIEW forecast_verification IS 'How forecasts came true: a good one has hit_rate near mean_probability and a small Brier score';
