-- Reliability of forecasts: of those said with about this probability, how many came true
SELECT
  bin / 10 AS at_least, (bin + 1) / 10 AS below, count(*) AS decided, round(avg(probability), 3) AS mean_probability,
  round(avg(CAST(outcome = 'hit' AS INTEGER)), 3) AS came_true,
  round(avg(CAST(outcome = 'hit' AS INTEGER)) - avg(probability), 3) AS difference
FROM (SELECT least(floor(probability * 10), 9) AS bin, probability, outcome FROM forecasts
      WHERE outcome <> 'open' AND meta_state <> 'withdrawn')
GROUP BY bin
ORDER BY bin
