-- What was said and taken back, as later records disproved it, with what replaced it
SELECT 'alert' AS what, id, title, last_time, revision, superseded_by FROM alerts WHERE meta_state = 'withdrawn'
UNION ALL
SELECT 'finding', id, title, last_time, revision, superseded_by FROM findings WHERE meta_state = 'withdrawn'
UNION ALL
SELECT 'signal', id, title, time, NULL, NULL FROM signals WHERE meta_state = 'withdrawn'
ORDER BY last_time DESC, what, id
