-- Why each open alert has its priority: the terms of its newest revision, the heaviest first
SELECT a.title, a.priority, s.term, s.points, s.value, s.weight, a.id
FROM open_alerts AS a JOIN scores AS s ON s.alert = a.id AND s.revision = a.revision
ORDER BY a.priority DESC, a.id, abs(s.points) DESC, s.number
