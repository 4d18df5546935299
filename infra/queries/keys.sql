-- Keys that nobody owns or nobody used for so long: to be revoked
-- param quiet: INTERVAL = 90d
SELECT
  entity, coalesce(owners, []) AS owners, last_seen, quiet_days,
  CASE WHEN owners IS NULL THEN 'nobody owns it' ELSE 'nobody uses it' END AS why
FROM stale_keys
WHERE owners IS NULL OR last_seen <= (SELECT time FROM newest) - $quiet
ORDER BY quiet_days DESC, entity
