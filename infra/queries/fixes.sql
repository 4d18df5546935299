-- Updates that would close open weaknesses, those that help most first
SELECT
  package, fixed_versions, count(*) AS weaknesses, count(DISTINCT entity) AS things,
  count(*) FILTER (kev_since IS NOT NULL) AS exploited, list_sort(list_distinct(list(weakness))) AS closes
FROM (SELECT *, unnest(packages) AS package FROM weaknesses WHERE state = 'open' AND len(fixed_versions) > 0)
GROUP BY package, fixed_versions
ORDER BY exploited DESC, weaknesses DESC, package, fixed_versions
