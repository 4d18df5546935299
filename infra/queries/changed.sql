-- What changed between two times: things, attributes, edges, facts and alerts; by default on the last day
-- param from: TIMESTAMP = NULL
-- param to: TIMESTAMP = NULL
WITH asked AS MATERIALIZED (
  SELECT
    coalesce(CAST($to AS TIMESTAMP), time) AS later,
    coalesce(CAST($from AS TIMESTAMP), coalesce(CAST($to AS TIMESTAMP), time) - INTERVAL 1 DAY) AS earlier
  FROM newest)
FROM changed((SELECT earlier FROM asked), (SELECT later FROM asked))
ORDER BY time NULLS FIRST, what, change, entity, detail
