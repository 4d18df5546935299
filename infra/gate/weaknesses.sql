-- Open weaknesses, each once however many scanners say it, with what the findings behind it say.
SELECT
  w.entity, w.weakness, coalesce(w.severity, 'informational') AS severity, min(f.title) AS title, w.packages, w.fixed_versions,
  w.kev_since IS NOT NULL AS exploited, w.epss, epoch_us(w.since) AS since,
  list(CAST(f.body -> '$.evidence' AS VARCHAR) ORDER BY f.id) AS evidence
FROM weaknesses AS w
JOIN facts AS f ON f.name = 'finding' AND f.state = 'open' AND f.entity = w.entity
  AND coalesce(f.vulnerability, f.check_id, f.package, f.title) = w.weakness
WHERE w.state = 'open'
GROUP BY ALL ORDER BY ALL
