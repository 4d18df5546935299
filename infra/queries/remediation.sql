-- How long weaknesses stay open, by severity: mean and median hours to the fix, and how old the open ones are
-- param since: INTERVAL = 90d
WITH counted AS (
  SELECT severity, state, since, until, (SELECT time FROM newest) AS now FROM weaknesses WHERE state <> 'waived')
SELECT
  severity, count(*) FILTER (state = 'resolved' AND until >= now - $since) AS resolved,
  round(avg(date_diff('second', since, until)) FILTER (state = 'resolved' AND until >= now - $since) / 3600, 1) AS mean_hours,
  round(median(date_diff('second', since, until)) FILTER (state = 'resolved' AND until >= now - $since) / 3600, 1)
    AS median_hours,
  count(*) FILTER (state = 'open') AS open,
  round(max(date_diff('second', since, now)) FILTER (state = 'open') / 3600, 1) AS oldest_open_hours
FROM counted
GROUP BY severity
ORDER BY list_position(['critical', 'high', 'medium', 'low', 'informational'], severity)
