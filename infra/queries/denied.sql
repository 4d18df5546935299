-- Calls that were refused, by who made them: probing looks like this
-- param since: INTERVAL = 7d
SELECT
  actor, activity, attribute(body, 'error.code') AS code, count(*) AS refused,
  list_sort(list_distinct(list(client_ip) FILTER (client_ip IS NOT NULL))) AS addresses, max(time) AS last_time
FROM events
WHERE status = 'failure' AND time >= (SELECT time FROM newest) - $since
GROUP BY ALL
ORDER BY refused DESC, actor, activity, code
