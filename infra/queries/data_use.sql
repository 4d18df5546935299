-- Which data feeds which model, agent or application, and whether it is private
SELECT
  e.to_entity AS data, e.to_entity IN (SELECT entity FROM private_data) AS private, e.relation, e.from_entity AS used_by,
  e.declared, e.observed, e.last_seen
FROM current_edges AS e
WHERE starts_with(e.to_entity, 'datastore:') OR starts_with(e.to_entity, 'dataset:')
ORDER BY private DESC, data, e.relation, used_by
