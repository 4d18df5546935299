-- AI at work that nobody declared, with its AI systems; barograph assets --shadow minds what is approved, too
SELECT s.entity, s.layer, s.first_seen, s.last_seen, s.sources, s.servers,
  (SELECT list(DISTINCT m.system ORDER BY m.system) FROM system_members AS m WHERE list_contains(s.names, m.entity))
    AS systems
FROM shadow_ai AS s
ORDER BY s.last_seen DESC, s.entity
