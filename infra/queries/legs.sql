-- The legs of each convergence by class and family: what carries alerts, and with how many points at most
SELECT
  a.convergence, split_part(s.term, '/', 1) AS leg, substr(s.term, length(split_part(s.term, '/', 1)) + 2) AS family,
  count(DISTINCT a.id) AS alerts, max(s.points) AS most_points, max(a.last_time) AS last_time
FROM alerts AS a JOIN scores AS s ON s.alert = a.id AND s.revision = a.revision
WHERE a.meta_state <> 'withdrawn' AND s.term <> 'base'
GROUP BY ALL
ORDER BY a.convergence, most_points DESC, leg, family
