-- Secrets that lie where they should not, and long-term keys: which thing, since when, in which AI systems
SELECT
  f.severity, f.entity, f.name, f.title, f.location, f.since, f.tool,
  (SELECT coalesce(list(DISTINCT m.system ORDER BY m.system), []) FROM system_members AS m WHERE m.entity = f.entity)
    AS systems
FROM facts AS f
WHERE f.state = 'open' AND (contains(f.name, 'secret') OR f.name = 'long_term_key' OR contains(lower(f.title), 'secret')
  OR contains(lower(f.title), 'credential'))
ORDER BY list_position(['critical', 'high', 'medium', 'low', 'informational'], f.severity), f.since, f.entity, f.id
