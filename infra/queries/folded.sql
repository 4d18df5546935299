-- Duplicates folded: weaknesses that several rows or scanners say, told once
SELECT entity, weakness, state, rows, coalesce(len(said_by), 0) AS scanners, said_by, packages
FROM weaknesses
WHERE rows > 1
ORDER BY rows DESC, entity, weakness
