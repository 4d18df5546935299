-- The newest record of each source.
SELECT source, epoch_us(max(time)) AS time, arg_max(uid, (time, uid)) AS uid, arg_max(sha256, (time, uid)) AS sha256
FROM events WHERE time <= $now
GROUP BY source ORDER BY source
