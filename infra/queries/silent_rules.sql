-- Rules that never fired, or not for so long: nothing happened, or the records that they need do not come
-- param rules: VARCHAR[] = built-in rules
-- param quiet: INTERVAL = 30d
WITH fired AS (
  SELECT detection AS rule, max(time) AS last_time FROM signals GROUP BY ALL
  UNION ALL SELECT rule, max(last_time) FROM findings GROUP BY ALL
  UNION ALL SELECT convergence, max(last_time) FROM alerts GROUP BY ALL),
known AS (SELECT DISTINCT unnest(list_concat($rules, (SELECT coalesce(list(rule), []) FROM fired))) AS rule)
SELECT k.rule, max(f.last_time) AS last_time, CASE WHEN max(f.last_time) IS NULL THEN 'never' ELSE 'quiet' END AS fired
FROM known AS k LEFT JOIN fired AS f USING (rule)
WHERE (SELECT time FROM newest) IS NOT NULL
GROUP BY k.rule
HAVING max(f.last_time) IS NULL OR max(f.last_time) < (SELECT time FROM newest) - $quiet
ORDER BY last_time DESC NULLS LAST, k.rule
