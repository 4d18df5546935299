-- How forecasts came true, technique by technique
FROM forecast_verification ORDER BY issued DESC, technique
