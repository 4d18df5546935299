-- MCP servers and how often what they say of their tools changed: a new manifest is a new program
-- param since: INTERVAL = 14d
WITH said AS (
  SELECT of_kind(entities, 'mcp_server')[1] AS server, time, attribute(body, 'mcp.manifest.sha256') AS manifest,
    of_kind(entities, 'agent')[1] AS agent
  FROM events
  WHERE activity = 'tools/list' AND time >= (SELECT time FROM newest) - $since)
SELECT
  server, count(DISTINCT manifest) AS manifests, count(*) AS lists, arg_max(manifest, time) AS newest_manifest,
  list_sort(list_distinct(list(agent) FILTER (agent IS NOT NULL))) AS agents, max(time) AS last_time
FROM said WHERE server IS NOT NULL
GROUP BY server
ORDER BY manifests DESC, server
