-- Evidence per control of a framework (tags as owasp.llm01): what was seen, found and alerted, and on how many things
-- param framework: VARCHAR = NULL
WITH tagged AS (
  SELECT unnest(tags) AS tag, 'signal' AS kind, time, entities[1] AS entity FROM signals WHERE meta_state <> 'withdrawn'
  UNION ALL SELECT unnest(tags), 'finding', last_time, entities[1] FROM findings WHERE meta_state <> 'withdrawn'
  UNION ALL SELECT unnest(tags), 'alert', last_time, system FROM alerts WHERE meta_state <> 'withdrawn'),
seen AS (
  SELECT
    split_part(tag, '.', 1) AS framework, substr(tag, length(split_part(tag, '.', 1)) + 2) AS control,
    count(*) FILTER (kind = 'signal') AS signals, count(*) FILTER (kind = 'finding') AS findings,
    count(*) FILTER (kind = 'alert') AS alerts, count(DISTINCT entity) AS things, max(time) AS last_time
  FROM tagged GROUP BY tag)
SELECT
  coalesce(s.framework, c.framework) AS framework, coalesce(s.control, c.control) AS control, c.status,
  coalesce(s.signals, 0) AS signals, coalesce(s.findings, 0) AS findings, coalesce(s.alerts, 0) AS alerts,
  coalesce(s.things, 0) AS things, s.last_time
FROM seen AS s FULL JOIN controls AS c ON c.framework = s.framework AND c.control = s.control
WHERE $framework IS NULL OR coalesce(s.framework, c.framework) = $framework
ORDER BY 1, 2, c.status
