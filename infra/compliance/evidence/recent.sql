-- The newest record of a thing at work, and the newest of its last ones that brought prompts or answers. Of a store that
-- takes in much, the newest 100,000 records are looked at: that a thing was at work the inventory says, too, to the day.
WITH work AS (
  SELECT uid, sha256, time, entities FROM events
  WHERE time BETWEEN $since AND $now AND status <> 'failure' AND class_uid <> 6007
    AND class_uid // 1000 IN (1, 3, 4, 6)),
bound AS (SELECT min(time) AS time FROM (SELECT time FROM work ORDER BY time DESC LIMIT 100_000)),
named AS (
  SELECT
    unnest(list_filter(entities, lambda e: list_contains($kinds, split_part(e, ':', 1)))) AS entity, uid, sha256, time
  FROM work WHERE time >= (SELECT time FROM bound)),
newest AS (
  SELECT entity, max(time) AS time, arg_max(uid, (time, uid)) AS uid, arg_max(sha256, (time, uid)) AS sha256
  FROM named GROUP BY entity),
last AS (
  SELECT entity, unnest(arg_max(uid, (time, uid), 50)) AS uid
  FROM named WHERE starts_with(entity, 'application:') OR starts_with(entity, 'agent:') GROUP BY entity),
content AS (
  SELECT l.entity, max(e.time) AS time, arg_max(e.uid, (e.time, e.uid)) AS uid, arg_max(e.sha256, (e.time, e.uid)) AS sha256
  FROM last AS l JOIN events AS e USING (uid) WHERE contains(CAST(e.body AS VARCHAR), '"content.hidden"')
  GROUP BY l.entity)
SELECT n.entity, epoch_us(n.time), n.uid, n.sha256, epoch_us(c.time), c.uid, c.sha256
FROM newest AS n LEFT JOIN content AS c USING (entity) ORDER BY n.entity
