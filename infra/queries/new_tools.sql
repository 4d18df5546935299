-- Tools, skills and MCP servers that appeared lately: who uses them, in which AI systems, and whether anybody declared them
-- param since: INTERVAL = 7d
SELECT
  i.entity, i.first_seen, i.declared_from IS NOT NULL AS declared,
  (SELECT coalesce(list(DISTINCT e.from_entity ORDER BY e.from_entity), []) FROM current_edges AS e
   WHERE e.relation = 'uses' AND list_contains(i.names, e.to_entity)) AS used_by,
  coalesce(y.systems, []) AS systems, i.last_seen
FROM inventory AS i LEFT JOIN thing_systems AS y USING (entity)
WHERE i.kind IN ('tool', 'skill', 'mcp_server') AND i.deleted IS NULL
  AND i.first_seen >= (SELECT time FROM newest) - $since
ORDER BY declared, i.first_seen DESC, i.entity
