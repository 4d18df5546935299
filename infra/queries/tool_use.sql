-- Which agent uses which tool how often, in how many sessions, and how often it failed
-- param since: INTERVAL = 7d
SELECT
  of_kind(entities, 'agent')[1] AS agent, entities[1] AS tool, count(*) AS calls,
  count(DISTINCT of_kind(entities, 'session')[1]) AS sessions, count(*) FILTER (status = 'failure') AS failures,
  min(time) AS first_time, max(time) AS last_time
FROM events
WHERE time >= (SELECT time FROM newest) - $since AND starts_with(entities[1], 'tool:')
GROUP BY ALL
ORDER BY calls DESC, agent, tool
