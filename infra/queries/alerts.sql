-- Open alerts, the most pressing first
SELECT stage, priority, round(confidence, 2) AS confidence, system, title, last_time, expires_at, id
FROM open_alerts
ORDER BY list_position(['warning', 'watch', 'outlook'], stage), priority DESC, last_time DESC, id
