"""Telemetry: AI at work in one normal form, whoever tells of it."""
