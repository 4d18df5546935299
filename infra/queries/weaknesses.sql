-- Open weaknesses, the exploited ones first: who says so, since when, the fix, and which AI systems have it
SELECT
  w.entity, w.weakness, w.severity, w.since, w.said_by, w.packages, w.fixed_versions, w.kev_since, w.epss,
  (SELECT list(DISTINCT m.system ORDER BY m.system) FROM system_members AS m WHERE m.entity = w.entity) AS systems
FROM weaknesses AS w
WHERE w.state = 'open'
ORDER BY
  w.kev_since IS NULL, w.epss DESC NULLS LAST,
  list_position(['critical', 'high', 'medium', 'low', 'informational'], w.severity), w.entity, w.weakness
