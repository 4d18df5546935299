-- AI systems with their size, open facts and open alerts
SELECT
  s.name, s.root, len(s.members) AS members,
  (SELECT count(*) FROM posture AS p WHERE list_contains(s.members, p.entity)) AS open_facts,
  (SELECT count(*) FROM open_alerts AS a WHERE a.system IN (s.name, s.root)) AS open_alerts
FROM systems AS s
ORDER BY open_alerts DESC, open_facts DESC, s.name
