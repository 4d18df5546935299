-- Episodes in which a correlation held, the newest first
SELECT level, rule, title, count AS hits, first_time, last_time, group_values, meta_state, id
FROM findings
WHERE meta_state <> 'withdrawn'
ORDER BY last_time DESC, id
