-- Hours in which somebody did many times what is usual for them
-- param times: INTEGER = 5
-- param least: INTEGER = 20
-- param since: INTERVAL = 7d
WITH hours AS (
  SELECT actor, date_trunc('hour', time) AS hour, count(*) AS events FROM events
  WHERE actor IS NOT NULL AND time >= (SELECT time FROM newest) - $since GROUP BY ALL),
usual AS (SELECT actor, median(events) AS usual, count(*) AS hours FROM hours GROUP BY actor)
SELECT h.actor, h.hour, h.events, u.usual, u.hours
FROM hours AS h JOIN usual AS u USING (actor)
WHERE h.events >= $times * u.usual AND h.events >= $least
ORDER BY h.events / u.usual DESC, h.actor, h.hour
