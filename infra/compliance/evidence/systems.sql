-- The members of each AI system, every thing by the one name that stands for it.
SELECT m.root, list(DISTINCT coalesce(t.thing, m.entity)) AS members
FROM system_members AS m LEFT JOIN things AS t USING (entity)
GROUP BY m.root ORDER BY m.root
