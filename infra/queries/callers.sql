-- Who calls models: principals and agents with the models, addresses and keys that they used
-- param since: INTERVAL = 7d
WITH used AS (
  SELECT
    actor, entities[1] AS model, client_ip, of_kind(entities, 'apikey')[1] AS key, count(*) AS calls,
    count(*) FILTER (status = 'failure') AS failures, max(time) AS last_time
  FROM events
  WHERE actor IS NOT NULL AND starts_with(entities[1], 'model:') AND time >= (SELECT time FROM newest) - $since
  GROUP BY ALL)
SELECT
  actor, CAST(sum(calls) AS BIGINT) AS calls, CAST(sum(failures) AS BIGINT) AS failures,
  list_sort(list_distinct(list(model))) AS models,
  coalesce(list_sort(list_distinct(list(client_ip) FILTER (client_ip IS NOT NULL))), []) AS addresses,
  coalesce(list_sort(list_distinct(list(key) FILTER (key IS NOT NULL))), []) AS keys, max(last_time) AS last_time
FROM used
GROUP BY actor
ORDER BY calls DESC, actor
