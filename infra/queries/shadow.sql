-- AI at work that nobody declared, with its AI systems; barograph assets --shadow minds what is approved, too
SELECT entity, layer, first_seen, last_seen, sources, servers, systems FROM shadow_ai ORDER BY last_seen DESC, entity
