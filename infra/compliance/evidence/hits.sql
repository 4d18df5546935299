-- Matches of the rules that are asked of, each since its own time, by what they are about; the newest of each shown.
WITH asked AS (SELECT unnest($rules) AS rule, unnest($starts) AS start),
found AS (
  SELECT 'signal' AS what, id, detection AS rule, title, level, time, entities, body FROM signals
  WHERE meta_state <> 'withdrawn'
  UNION ALL
  SELECT 'finding', id, rule, title, level, last_time, entities, body FROM findings WHERE meta_state <> 'withdrawn')
SELECT
  rule, list_filter(entities, lambda e: list_contains($carriers, split_part(e, ':', 1))) AS about,
  any_value(level) AS level, count(*) AS matches,
  arg_max({'what': what, 'id': id, 'text': title, 'time': epoch_us(time), 'entity': entities[1],
    'evidence': CAST(body -> '$.evidence' AS VARCHAR)}, (time, id), $most) AS shown
FROM found JOIN asked USING (rule)
WHERE time BETWEEN start AND $now
GROUP BY ALL ORDER BY ALL
