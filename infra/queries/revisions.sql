-- How the ledger of an alert changed from revision to revision: terms that came, went or weigh differently
-- param alert: VARCHAR = NULL
WITH told AS (
  SELECT alert, revision, term, sum(points) AS points, any_value(time) AS time FROM scores GROUP BY alert, revision, term),
steps AS (SELECT alert, revision, lag(revision) OVER (PARTITION BY alert ORDER BY revision) AS before, any_value(time) AS time
  FROM scores GROUP BY alert, revision)
SELECT s.alert, s.revision, s.time, coalesce(n.term, b.term) AS term, b.points AS before, n.points AS now
FROM steps AS s
JOIN (SELECT alert, term, revision FROM told UNION SELECT t.alert, t.term, s.revision FROM told AS t JOIN steps AS s
  ON s.alert = t.alert AND s.before = t.revision) AS k ON k.alert = s.alert AND k.revision = s.revision
LEFT JOIN told AS n ON n.alert = s.alert AND n.revision = s.revision AND n.term = k.term
LEFT JOIN told AS b ON b.alert = s.alert AND b.revision = s.before AND b.term = k.term
WHERE s.before IS NOT NULL AND n.points IS DISTINCT FROM b.points AND ($alert IS NULL OR starts_with(s.alert, $alert))
ORDER BY s.alert, s.revision, term
