-- Tokens by day, model and application: what AI costs, and who began to use more
-- param since: INTERVAL = 7d
SELECT
  CAST(time AS DATE) AS day, of_kind(entities, 'application')[1] AS application, of_kind(entities, 'model')[1] AS model,
  count(*) AS calls, sum(TRY_CAST(attribute(body, 'gen_ai.usage.input_tokens') AS BIGINT)) AS input_tokens,
  sum(TRY_CAST(attribute(body, 'gen_ai.usage.output_tokens') AS BIGINT)) AS output_tokens
FROM events
WHERE len(of_kind(entities, 'model')) > 0 AND time >= (SELECT time FROM newest) - $since
GROUP BY ALL
HAVING input_tokens IS NOT NULL OR output_tokens IS NOT NULL
ORDER BY day, input_tokens DESC, application, model
