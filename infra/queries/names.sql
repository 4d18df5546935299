-- Things that are known under more than one name
SELECT entity, kind, names, sources, first_seen, last_seen FROM inventory WHERE len(names) > 1 ORDER BY entity
