-- Open alerts.
SELECT
  convergence, stage, system, severity, tags, epoch_us(expires_at) AS expires, id, title, epoch_us(last_time) AS time,
  CAST(body -> '$.evidence' AS VARCHAR) AS evidence
FROM alerts WHERE status = 'open' AND meta_state <> 'withdrawn'
ORDER BY id
