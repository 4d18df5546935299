-- What happened in a session, step by step; by default in the one of which most was said
-- param session: VARCHAR = NULL
WITH chosen AS (
  SELECT coalesce($session, (
    SELECT session FROM (
      SELECT unnest(of_kind(entities, 'session')) AS session FROM signals
      WHERE level <> 'informational' AND meta_state <> 'withdrawn')
    GROUP BY session ORDER BY count(*) DESC, session LIMIT 1)) AS session)
SELECT
  e.time, e.activity, e.status, of_kind(e.entities, 'tool')[1] AS tool, of_kind(e.entities, 'model')[1] AS model,
  (SELECT coalesce(list(DISTINCT s.detection ORDER BY s.detection), []) FROM signals AS s WHERE s.event = e.uid)
    AS detections, e.uid
FROM events AS e
WHERE list_contains(e.entities, (SELECT session FROM chosen))
ORDER BY e.time, e.uid
