-- When each source last said something that mattered: silence is not safety
SELECT source, count(*) AS events, min(time) AS first_time, max(time) AS last_time
FROM events
GROUP BY source
ORDER BY last_time
