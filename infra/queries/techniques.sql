-- ATLAS techniques: how often seen, in how many alerts, and how often forecast
WITH seen AS (
  SELECT upper(replace(replace(unnest(tags), 'atlas.aml-', 'AML.'), 'atlas.AML.', 'AML.')) AS technique, 'signal' AS kind
  FROM signals WHERE meta_state <> 'withdrawn'
  UNION ALL
  SELECT upper(replace(replace(unnest(tags), 'atlas.aml-', 'AML.'), 'atlas.AML.', 'AML.')), 'alert'
  FROM alerts WHERE meta_state <> 'withdrawn'
  UNION ALL
  SELECT technique, CASE outcome WHEN 'hit' THEN 'hit' ELSE 'forecast' END FROM forecasts WHERE meta_state <> 'withdrawn')
SELECT
  technique, count(*) FILTER (kind = 'signal') AS signals, count(*) FILTER (kind = 'alert') AS alerts,
  count(*) FILTER (kind IN ('forecast', 'hit')) AS forecasts, count(*) FILTER (kind = 'hit') AS came_true
FROM seen WHERE starts_with(technique, 'AML.')
GROUP BY technique
ORDER BY alerts DESC, signals DESC, technique
