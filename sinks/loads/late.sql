INSERT OR REPLACE INTO late BY NAME
SELECT id, b.origin, b.source, b.time, b.watermark, body
FROM (
  SELECT id, body, json_transform(body, '{
    "origin": "VARCHAR", "source": "VARCHAR", "time": "TIMESTAMP", "watermark": "TIMESTAMP"}') AS b
  FROM batch);
