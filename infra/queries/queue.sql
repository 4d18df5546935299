-- The queue: open alerts with their age, what became of them, and when they end by themselves
SELECT
  stage, priority, system, title, round(date_diff('second', onset_time, (SELECT time FROM newest)) / 3600, 1) AS age_hours,
  round(date_diff('second', last_time, (SELECT time FROM newest)) / 3600, 1) AS quiet_hours,
  round(date_diff('second', (SELECT time FROM newest), expires_at) / 3600, 1) AS ends_in_hours, revision, id
FROM open_alerts
ORDER BY age_hours DESC, id
