-- Who calls models: principals and agents with the models, addresses and keys that they used
-- param since: INTERVAL = 30d
SELECT
  actor, count(*) AS calls, count(*) FILTER (status = 'failure') AS failures,
  list_sort(list_distinct(flatten(list(of_kind(entities, 'model'))))) AS models,
  list_sort(list_distinct(list(client_ip) FILTER (client_ip IS NOT NULL))) AS addresses,
  list_sort(list_distinct(flatten(list(of_kind(entities, 'apikey'))))) AS keys, max(time) AS last_time
FROM events
WHERE actor IS NOT NULL AND len(of_kind(entities, 'model')) > 0 AND time >= (SELECT time FROM newest) - $since
GROUP BY actor
ORDER BY calls DESC, actor
