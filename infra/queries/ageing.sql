-- Open weaknesses by severity and age: how many are past the days that their severity allows
-- param critical: INTERVAL = 7d
-- param high: INTERVAL = 30d
-- param medium: INTERVAL = 90d
SELECT
  severity, count(*) AS open, count(*) FILTER (age < INTERVAL 7 DAY) AS week,
  count(*) FILTER (age >= INTERVAL 7 DAY AND age < INTERVAL 30 DAY) AS month,
  count(*) FILTER (age >= INTERVAL 30 DAY AND age < INTERVAL 90 DAY) AS quarter,
  count(*) FILTER (age >= INTERVAL 90 DAY) AS older,
  count(*) FILTER (age > CASE severity WHEN 'critical' THEN $critical WHEN 'high' THEN $high ELSE $medium END) AS overdue
FROM (SELECT severity, (SELECT time FROM newest) - since AS age FROM weaknesses WHERE state = 'open')
GROUP BY severity
ORDER BY list_position(['critical', 'high', 'medium', 'low', 'informational'], severity)
