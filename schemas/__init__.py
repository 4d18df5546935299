"""The nouns: records, entities, rules as data, configuration, topics. Imports nothing of ours."""
