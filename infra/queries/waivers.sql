-- Weaknesses that a VEX statement waives: who says so and why
SELECT entity, weakness, severity, since, waived_by, waiver FROM weaknesses WHERE state = 'waived' ORDER BY entity, weakness
