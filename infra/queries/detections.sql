-- How often each detection matched, and on how many days and things: what is noisy
SELECT
  detection, any_value(level) AS level, count(*) AS signals, count(DISTINCT date_trunc('day', time)) AS days,
  count(DISTINCT entities[1]) AS things, max(time) AS last_time
FROM signals
WHERE meta_state <> 'withdrawn'
GROUP BY detection
ORDER BY signals DESC, detection
