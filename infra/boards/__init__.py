"""Boards: Grafana dashboards, data sources and alert rules, as code."""
