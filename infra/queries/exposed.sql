-- Assets with open facts, by severity: where to begin
SELECT
  entity, count(*) FILTER (severity = 'critical') AS critical, count(*) FILTER (severity = 'high') AS high,
  count(*) AS open_facts, min(since) AS oldest, coalesce(list(DISTINCT m.system ORDER BY m.system)
  FILTER (m.system IS NOT NULL), []) AS systems
FROM posture AS p LEFT JOIN system_members AS m USING (entity)
GROUP BY entity
ORDER BY critical DESC, high DESC, open_facts DESC, entity
