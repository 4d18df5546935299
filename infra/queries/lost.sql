-- Late and rejected records by source, beside those that were kept: where reading loses something
SELECT
  source, CAST(sum(k) AS BIGINT) AS kept, CAST(sum(r) AS BIGINT) AS rejected, CAST(sum(l) AS BIGINT) AS late,
  max(behind) AS most_behind, min(reason) AS a_reason
FROM (
  SELECT source, count(*) AS k, 0 AS r, 0 AS l, NULL AS behind, NULL AS reason FROM events GROUP BY source
  UNION ALL SELECT source, 0, count(*), 0, NULL, min(reason) FROM rejects GROUP BY source
  UNION ALL SELECT source, 0, 0, count(*), max(watermark - time), NULL FROM late GROUP BY source)
GROUP BY source
ORDER BY sum(r) + sum(l) DESC, source
