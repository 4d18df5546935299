-- The newest record of a thing at work, and the newest that brought prompts or answers.
WITH named AS (
  SELECT unnest(entities) AS entity, uid, sha256, time, contains(CAST(body AS VARCHAR), '"content.hidden"') AS content
  FROM events
  WHERE time BETWEEN $since AND $now AND status <> 'failure' AND class_uid <> 6007
    AND class_uid // 1000 IN (1, 3, 4, 6))
SELECT
  entity, epoch_us(max(time)) AS time, arg_max(uid, (time, uid)) AS uid, arg_max(sha256, (time, uid)) AS sha256,
  epoch_us(max(time) FILTER (content)) AS content_time, arg_max(uid, (time, uid)) FILTER (content) AS content_uid,
  arg_max(sha256, (time, uid)) FILTER (content) AS content_sha256
FROM named WHERE list_contains($kinds, split_part(entity, ':', 1)) GROUP BY entity ORDER BY entity
