-- AI systems that hold private data, the exposed ones first: where an alert weighs most
SELECT
  s.system, max(x.exposure) AS exposure, list(DISTINCT s.entity ORDER BY s.entity) AS private_data,
  coalesce(max(w.weaknesses), 0) AS weaknesses,
  max(a.priority) AS priority
FROM system_members AS s
JOIN private_data AS p USING (entity)
LEFT JOIN (SELECT entity AS root, max(instance) AS exposure FROM facts
  WHERE name = 'asset.exposure' AND state = 'open' GROUP BY entity) AS x ON x.root = s.root
LEFT JOIN (SELECT m.system, count(*) AS weaknesses FROM system_members AS m JOIN weaknesses USING (entity)
  WHERE state = 'open' GROUP BY m.system) AS w ON w.system = s.system
LEFT JOIN (SELECT system AS root, max(priority) AS priority FROM open_alerts GROUP BY system) AS a ON a.root = s.root
GROUP BY s.system
ORDER BY max(x.exposure) = 'internet' DESC NULLS LAST, max(a.priority) DESC NULLS LAST, s.system
