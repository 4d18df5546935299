-- The priority of each alert, revision by revision
-- param alert: VARCHAR = NULL
SELECT
  s.alert, any_value(a.title) AS title, s.revision, any_value(s.time) AS time, count(*) AS terms, sum(s.points) AS points,
  CAST(floor(100 / (1 + exp(-sum(s.points) / 1000)) + 0.5) AS INTEGER) AS priority
FROM scores AS s LEFT JOIN alerts AS a ON a.id = s.alert
WHERE $alert IS NULL OR starts_with(s.alert, $alert)
GROUP BY s.alert, s.revision
ORDER BY s.alert, s.revision
