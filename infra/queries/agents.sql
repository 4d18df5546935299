-- Agents that read what strangers write, reach private data and send things out: all three are a way out for data
-- param since: INTERVAL = 30d
SELECT
  agent, CAST(untrusted > 0 AS INTEGER) + CAST(private > 0 AS INTEGER) + CAST(sends > 0 AS INTEGER) AS legs,
  untrusted, private, sends, tools, last_time
FROM (
  SELECT
    of_kind(entities, 'agent')[1] AS agent, count(*) FILTER (detection = 'tool_reads_untrusted') AS untrusted,
    count(*) FILTER (detection = 'tool_reads_private') AS private, count(*) FILTER (detection = 'tool_sends_out') AS sends,
    list_sort(list_distinct(flatten(list(of_kind(entities, 'tool'))))) AS tools, max(time) AS last_time
  FROM signals
  WHERE detection IN ('tool_reads_untrusted', 'tool_reads_private', 'tool_sends_out') AND meta_state <> 'withdrawn'
    AND time >= (SELECT time FROM newest) - $since
  GROUP BY agent)
WHERE agent IS NOT NULL
ORDER BY legs DESC, agent
