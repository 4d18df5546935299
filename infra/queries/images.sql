-- Images at work: where they run, and what is open on them
SELECT
  i.entity, list_sort(list_distinct(list(e.from_entity) FILTER (e.from_entity IS NOT NULL))) AS runs_in,
  (SELECT count(*) FROM weaknesses AS w WHERE w.state = 'open' AND list_contains(i.names, w.entity)) AS weaknesses,
  (SELECT count(*) FROM weaknesses AS w WHERE w.state = 'open' AND list_contains(i.names, w.entity)
    AND w.severity IN ('critical', 'high')) AS grave,
  (SELECT count(*) FROM facts AS f WHERE f.state = 'open' AND f.name = 'embedded_secret'
    AND list_contains(i.names, f.entity)) AS secrets
FROM inventory AS i LEFT JOIN current_edges AS e ON e.relation = 'runs_image' AND list_contains(i.names, e.to_entity)
WHERE i.kind = 'image' AND i.deleted IS NULL
GROUP BY i.entity, i.names
ORDER BY grave DESC, weaknesses DESC, i.entity
