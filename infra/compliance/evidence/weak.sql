-- Open facts of the names that are asked of, each of its own severity and above, by thing; those first since which it holds
-- longest. What is known of a vulnerability is a fact of what has it.
WITH asked AS (SELECT unnest($names) AS name, unnest($least) AS least),
open AS (
  SELECT
    f.name, f.entity, f.severity, f.vulnerability, f.check_id, f.id, f.title, f.since, f.body,
    v.id IS NOT NULL AS waived
  FROM facts AS f
  LEFT JOIN facts AS v ON v.name = 'vex' AND v.state = 'open' AND v.entity = f.entity AND v.instance = f.vulnerability
  WHERE f.state = 'open' AND NOT starts_with(f.entity, 'vulnerability:')
  UNION ALL
  SELECT f.name, a.entity, f.severity, a.vulnerability, NULL, f.id, f.title, greatest(a.since, f.since), f.body, false
  FROM affected_at(NULL) AS a JOIN facts AS f ON f.entity = 'vulnerability:' || a.vulnerability AND f.state = 'open')
SELECT
  name, entity, coalesce(severity, 'informational') AS severity,
  CASE WHEN vulnerability IS NOT NULL THEN 'vulnerability' WHEN check_id IS NOT NULL THEN 'check' ELSE '' END AS about,
  waived, count(*) AS facts,
  arg_min({'what': 'fact', 'id': id, 'text': title, 'time': epoch_us(since), 'entity': entity,
    'evidence': CAST(body -> '$.evidence' AS VARCHAR)}, (since, id), $most) AS shown
FROM open JOIN asked USING (name)
WHERE coalesce(list_position($levels, severity), 1) >= least
GROUP BY ALL ORDER BY ALL
