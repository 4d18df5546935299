-- Sources that fell silent: for longer than this, or half as long again as their longest pause so far
-- param quiet: INTERVAL = 1d
WITH hours AS (
  SELECT source, date_trunc('hour', time) AS hour, count(*) AS events, max(time) AS last_time FROM events GROUP BY ALL),
pauses AS (SELECT *, hour - lag(hour) OVER (PARTITION BY source ORDER BY hour) AS pause FROM hours),
spoken AS (
  SELECT source, CAST(sum(events) AS BIGINT) AS events, max(last_time) AS last_time, max(pause) AS longest_pause
  FROM pauses GROUP BY source)
SELECT source, events, last_time, (SELECT time FROM newest) - last_time AS silent_for, longest_pause
FROM spoken
WHERE (SELECT time FROM newest) - last_time
  > least($quiet, coalesce(greatest(INTERVAL 1 HOUR, longest_pause * 1.5), $quiet))
ORDER BY silent_for DESC, source
