-- Detections by how much they say and how often it led to an alert: much and never is noise
-- param since: INTERVAL = 30d
WITH told AS (
  SELECT detection, any_value(level) AS level, count(*) AS signals, max(time) AS last_time FROM signals
  WHERE meta_state <> 'withdrawn' AND time >= (SELECT time FROM newest) - $since GROUP BY detection),
led AS (
  SELECT s.detection, count(DISTINCT u.alert) AS alerts, count(DISTINCT s.id) AS evidence
  FROM alert_evidence AS u JOIN signals AS s USING (event)
  WHERE s.meta_state <> 'withdrawn' AND s.time >= (SELECT time FROM newest) - $since GROUP BY s.detection)
SELECT t.detection, t.level, t.signals, coalesce(l.alerts, 0) AS alerts, coalesce(l.evidence, 0) AS evidence, t.last_time
FROM told AS t LEFT JOIN led AS l USING (detection)
ORDER BY alerts, signals DESC, t.detection
