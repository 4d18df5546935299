-- Edges that hold and were seen at work, by relation and start.
SELECT relation, from_entity AS entity, epoch_us(max(observed_seen)) AS time, arg_max(to_entity, (observed_seen, to_entity)) AS other
FROM edges
WHERE valid_to IS NULL AND observed_seen IS NOT NULL AND list_contains($relations, relation)
GROUP BY ALL ORDER BY ALL
