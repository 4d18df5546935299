-- Why each open alert (or one: its id or the start of it) has its priority: its terms, the heaviest first
-- param alert: VARCHAR = NULL
SELECT a.title, a.priority, s.term, s.points, s.value, s.weight, a.id
FROM alerts AS a JOIN scores AS s ON s.alert = a.id AND s.revision = a.revision
WHERE CASE WHEN $alert IS NULL THEN a.id IN (SELECT id FROM open_alerts) ELSE starts_with(a.id, $alert) END
ORDER BY a.priority DESC, a.id, abs(s.points) DESC, s.number
