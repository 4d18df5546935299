DELETE FROM systems WHERE id IN (SELECT id FROM batch WHERE state = 'withdrawn');
INSERT OR REPLACE INTO systems BY NAME
SELECT id, b.name, b.root, b.members, state AS meta_state, body
FROM (
  SELECT id, state, body, json_transform(body, '{"name": "VARCHAR", "root": "VARCHAR", "members": ["VARCHAR"]}') AS b
  FROM batch WHERE state <> 'withdrawn');
