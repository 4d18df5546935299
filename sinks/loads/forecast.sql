DELETE FROM forecasts WHERE id IN (SELECT id FROM batch WHERE state = 'withdrawn');
INSERT OR REPLACE INTO forecasts BY NAME
SELECT
  id, b.alert, b.system, b.issued, b.technique, b.probability, b.horizon, b.until, b.outcome, b.outcome_time,
  state AS meta_state, body
FROM (
  SELECT id, state, body, json_transform(body, '{
    "alert": "VARCHAR", "system": "VARCHAR", "issued": "TIMESTAMP", "technique": "VARCHAR", "probability": "DOUBLE",
    "horizon": "VARCHAR", "until": "TIMESTAMP", "outcome": "VARCHAR", "outcome_time": "TIMESTAMP"}') AS b
  FROM batch WHERE state <> 'withdrawn');
