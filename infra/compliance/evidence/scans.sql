-- When each scanner last looked at a thing: at the end of a scan, else by what it found.
SELECT
  entities[1] AS entity, source, epoch_us(max(time)) AS time, arg_max(uid, (time, class_uid = 6007, uid)) AS uid,
  arg_max(sha256, (time, class_uid = 6007, uid)) AS sha256
FROM events
WHERE class_uid IN (2002, 2003, 2006, 2007, 6007) AND status <> 'failure' AND len(entities) > 0 AND time <= $now
GROUP BY ALL ORDER BY ALL
