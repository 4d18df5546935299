-- Every thing with its names: when it was last declared and last seen at work, to the day.
SELECT entity, names, epoch_us(declared_seen) AS declared, epoch_us(observed_seen) AS observed
FROM inventory
WHERE deleted IS NULL AND list_contains($kinds, kind)
ORDER BY entity
