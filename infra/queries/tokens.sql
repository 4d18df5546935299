-- Tokens by day, model and application: what AI costs, and who began to use more
-- param since: INTERVAL = 7d
WITH used AS (
  SELECT
    CAST(time AS DATE) AS day, of_kind(entities, 'application')[1] AS application, entities[1] AS model,
    body ->> ['$.attributes."gen_ai.usage.input_tokens"', '$.attributes."gen_ai.usage.output_tokens"'] AS tokens
  FROM events
  WHERE time >= (SELECT time FROM newest) - $since AND starts_with(entities[1], 'model:')
    AND contains(CAST(body AS VARCHAR), '"gen_ai.usage.'))
SELECT
  day, application, model, count(*) AS calls, CAST(sum(TRY_CAST(tokens[1] AS BIGINT)) AS BIGINT) AS input_tokens,
  CAST(sum(TRY_CAST(tokens[2] AS BIGINT)) AS BIGINT) AS output_tokens
FROM used
GROUP BY day, application, model
ORDER BY day, input_tokens DESC, application, model
