-- Which things and AI systems a vulnerability reaches, the exploited ones first
-- param cve: VARCHAR = NULL
WITH near AS (
  SELECT entity, system FROM system_members
  UNION SELECT e.to_entity, m.system FROM current_edges AS e JOIN system_members AS m ON m.entity = e.from_entity),
within AS (SELECT entity, list(DISTINCT system ORDER BY system) AS systems FROM near GROUP BY entity)
SELECT
  a.vulnerability, i.kev_since, i.epss, a.entity, a.since, a.said_by, coalesce(n.systems, []) AS systems
FROM affected_at(NULL) AS a
LEFT JOIN vulnerability_intel AS i USING (vulnerability)
LEFT JOIN within AS n ON n.entity = a.entity
WHERE $cve IS NULL OR upper(a.vulnerability) = upper($cve)
ORDER BY i.kev_since IS NULL, i.epss DESC NULLS LAST, len(coalesce(n.systems, [])) DESC, a.vulnerability, a.entity
