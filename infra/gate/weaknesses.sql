-- Open weaknesses, each once however many scanners say it, with what the findings behind it say. What has no vulnerability is a
-- weakness for each place: the gravest has number 1, and of several tools the one that found most places says how many.
WITH findings AS (
  SELECT
    *, coalesce(vulnerability, check_id, package, title) AS weakness,
    CASE WHEN vulnerability IS NULL THEN row_number() OVER (
      PARTITION BY entity, coalesce(check_id, package, title), tool
      ORDER BY list_position(['critical', 'high', 'medium', 'low', 'informational'], severity), location, id) ELSE 1 END AS number
  FROM facts WHERE name = 'finding' AND state = 'open')
SELECT
  w.entity, w.weakness, f.number,
  coalesce(arg_max(f.severity, list_position(['informational', 'low', 'medium', 'high', 'critical'], f.severity)), 'informational')
    AS severity,
  min(f.title) AS title, list(DISTINCT f.package ORDER BY f.package) FILTER (f.package IS NOT NULL) AS packages,
  list(DISTINCT f.fixed_version ORDER BY f.fixed_version) FILTER (f.fixed_version IS NOT NULL) AS fixed_versions,
  list(DISTINCT f.location ORDER BY f.location) FILTER (f.vulnerability IS NULL AND f.location IS NOT NULL) AS places,
  w.kev_since IS NOT NULL AS exploited, w.epss, epoch_us(w.since) AS since,
  list(CAST(f.body -> '$.evidence' AS VARCHAR) ORDER BY f.id) AS evidence
FROM weaknesses AS w
JOIN findings AS f ON f.entity = w.entity AND f.weakness = w.weakness
WHERE w.state = 'open'
GROUP BY w.entity, w.weakness, f.number, w.kev_since, w.epss, w.since
ORDER BY w.entity, w.weakness, f.number
