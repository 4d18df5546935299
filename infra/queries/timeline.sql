-- All that is known of a thing, in order: what it did, what was seen on it, facts, findings and alerts
-- param entity: VARCHAR
-- param since: INTERVAL = 7d
SELECT time, what, said, id FROM (
  SELECT time, 'event' AS what, concat_ws(' ', activity, nullif(status, 'success')) AS said, uid AS id FROM events
  WHERE list_contains(entities, $entity) OR actor = $entity
  UNION ALL
  SELECT time, 'signal', concat(level, ': ', title), id FROM signals
  WHERE list_contains(entities, $entity) AND meta_state <> 'withdrawn'
  UNION ALL
  SELECT since, concat('fact ', state), concat_ws(' ', name, severity, coalesce(vulnerability, title)), id FROM facts
  WHERE entity = $entity
  UNION ALL
  SELECT onset_time, 'finding', concat(level, ': ', title), id FROM findings
  WHERE list_contains(entities, $entity) AND meta_state <> 'withdrawn'
  UNION ALL
  SELECT onset_time, 'alert', concat(stage, ': ', title), id FROM alerts
  WHERE (list_contains(entities, $entity) OR system = $entity) AND meta_state <> 'withdrawn')
WHERE time >= (SELECT time FROM newest) - $since
ORDER BY time, what, id
