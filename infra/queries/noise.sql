-- Detections by how much they say and how often it led to an alert: much and never is noise
-- param since: INTERVAL = 30d
WITH used AS (SELECT DISTINCT event, alert FROM alert_evidence)
SELECT
  s.detection, any_value(s.level) AS level, count(DISTINCT s.id) AS signals, count(DISTINCT u.alert) AS alerts,
  count(DISTINCT s.id) FILTER (u.alert IS NOT NULL) AS evidence, max(s.time) AS last_time
FROM signals AS s LEFT JOIN used AS u USING (event)
WHERE s.meta_state <> 'withdrawn' AND s.time >= (SELECT time FROM newest) - $since
GROUP BY s.detection
ORDER BY alerts, signals DESC, s.detection
