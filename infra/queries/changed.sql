-- What changed between two times: things, attributes, edges, facts and alerts; by default on the last day
-- param from: TIMESTAMP = NULL
-- param to: TIMESTAMP = NULL
FROM changed(
  coalesce(CAST($from AS TIMESTAMP), coalesce(CAST($to AS TIMESTAMP), (SELECT time FROM newest)) - INTERVAL 1 DAY),
  coalesce(CAST($to AS TIMESTAMP), (SELECT time FROM newest)))
ORDER BY time NULLS FIRST, what, change, entity, detail
