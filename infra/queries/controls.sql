-- Controls of frameworks with what stands for and against them: those that fail first, then what was not assessed
-- param framework: VARCHAR = NULL
-- param scope: VARCHAR = NULL
WITH rests AS (
  SELECT framework, control, scope, unnest(json_transform(body -> 'criteria', '[{"criterion": "VARCHAR", "scope": "VARCHAR"}]')) AS c
  FROM controls),
told AS (
  SELECT
    r.framework, r.control, r.scope, sum(json_array_length(j.body -> 'heard')) AS heard,
    list(j.criterion ORDER BY j.criterion) FILTER (j.status = 'fail') AS failing,
    list(j.criterion ORDER BY j.criterion) FILTER (j.status = 'not_assessed') AS open
  FROM rests AS r JOIN criteria AS j ON j.criterion = r.c.criterion AND j.scope = r.c.scope GROUP BY ALL)
SELECT
  c.status, c.framework, c.control, c.scope, c.title, c.severity, CAST(c.body ->> 'count' AS BIGINT) AS against,
  coalesce(t.heard, 0) AS heard, coalesce(t.failing, []) AS not_met, coalesce(t.open, []) AS not_known, c.fresh_until, c.reason
FROM controls AS c LEFT JOIN told AS t USING (framework, control, scope)
WHERE ($framework IS NULL OR c.framework = $framework) AND ($scope IS NULL OR c.scope = $scope)
ORDER BY list_position(['fail', 'not_assessed', 'pass'], c.status), c.framework, c.control, c.scope
