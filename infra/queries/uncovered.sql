-- Declared things of AI systems that no telemetry ever showed at work: blind, or not there any more
SELECT i.kind, i.entity, i.declared_from, i.declared_seen, coalesce(y.systems, []) AS systems
FROM inventory AS i LEFT JOIN thing_systems AS y USING (entity)
WHERE i.declarable AND i.declared_from IS NOT NULL AND i.observed_from IS NULL AND i.deleted IS NULL
ORDER BY i.layer_number, i.kind, i.entity
