-- Calls that were refused, by who made them: probing looks like this
-- param since: INTERVAL = 7d
-- What a server failed at by itself (5xx) was not refused.
SELECT
  actor, activity, coalesce(attribute(body, 'error.code'), attribute(body, 'http.response.status_code')) AS code,
  count(*) AS refused,
  list_sort(list_distinct(list(client_ip) FILTER (client_ip IS NOT NULL))) AS addresses, max(time) AS last_time
FROM events
WHERE status = 'failure' AND time >= (SELECT time FROM newest) - $since
  AND NOT coalesce(starts_with(attribute(body, 'http.response.status_code'), '5'), false)
GROUP BY ALL
ORDER BY refused DESC, actor, activity, code
