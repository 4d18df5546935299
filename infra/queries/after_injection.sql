-- Tool calls of a session right after a guardrail or detection saw an injection in it
-- param within: INTERVAL = 10m
-- param since: INTERVAL = 7d
-- param least: VARCHAR = low
WITH attacks AS (
  SELECT event, time, detection, of_kind(entities, 'session')[1] AS session FROM signals
  WHERE meta_state <> 'withdrawn' AND time >= (SELECT time FROM newest) - $since
    AND list_position(['informational', 'low', 'medium', 'high', 'critical'], level)
      >= list_position(['informational', 'low', 'medium', 'high', 'critical'], $least)
    AND len(list_filter(tags, lambda t: starts_with(t, 'atlas.aml-t0051') OR starts_with(t, 'atlas.aml-t0054'))) > 0),
calls AS (
  SELECT uid, time, status, of_kind(entities, 'session')[1] AS session, of_kind(entities, 'agent')[1] AS agent,
    entities[1] AS tool, origin
  FROM events WHERE time >= (SELECT time FROM newest) - $since AND starts_with(entities[1], 'tool:'))
SELECT a.session, a.detection, a.time AS attack_time, c.time, c.agent, c.tool, c.status, c.origin
FROM attacks AS a JOIN calls AS c
  ON c.session = a.session AND c.time >= a.time AND c.time <= a.time + $within AND c.uid <> a.event
ORDER BY c.time, a.time, a.session, a.detection, c.tool
