-- What guardrails stopped, by agent, guardrail and category
-- param since: INTERVAL = 7d
SELECT
  coalesce(of_kind(e.entities, 'agent')[1], e.actor) AS agent, of_kind(e.entities, 'guardrail')[1] AS guardrail,
  attribute(e.body, 'guardrail.category') AS category, count(*) AS blocks,
  count(DISTINCT of_kind(e.entities, 'session')[1]) AS sessions, min(e.time) AS first_time, max(e.time) AS last_time
FROM events AS e
WHERE e.time >= (SELECT time FROM newest) - $since
  AND CASE WHEN len(of_kind(e.entities, 'guardrail')) > 0  -- bodies are long: only those are searched
    THEN contains(CAST(e.body AS VARCHAR), '"guardrail.verdict":"deny"') ELSE false END
GROUP BY ALL
ORDER BY blocks DESC, agent, guardrail, category
