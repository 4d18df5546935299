-- Keys at work from an address that was new for them: when, what they did there, and how many addresses they had before
-- param since: INTERVAL = 7d
WITH acts AS (
  SELECT
    of_kind(entities, 'apikey')[1] AS key, client_ip, activity, any_value(actor) AS actor, min(time) AS first_time,
    max(time) AS last_time, count(*) AS calls
  FROM events WHERE client_ip IS NOT NULL GROUP BY ALL),
used AS (
  SELECT
    key, client_ip, any_value(actor) AS actor, min(first_time) AS first_time, max(last_time) AS last_time,
    CAST(sum(calls) AS BIGINT) AS calls, list(activity ORDER BY activity) AS activities
  FROM acts WHERE key IS NOT NULL GROUP BY key, client_ip),
placed AS (
  SELECT *, count(*) OVER (PARTITION BY key ORDER BY first_time ROWS UNBOUNDED PRECEDING) - 1 AS known_before FROM used)
SELECT key, client_ip, actor, first_time, last_time, calls, known_before, activities
FROM placed
WHERE known_before > 0 AND first_time >= (SELECT time FROM newest) - $since
ORDER BY first_time DESC, key, client_ip
