-- What could not be read, by source and reason, with one place to look at
SELECT source, reason, count(*) AS records, any_value(detail) AS detail, min(origin) AS origin
FROM rejects
GROUP BY source, reason
ORDER BY records DESC, source, reason
