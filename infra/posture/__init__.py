"""Posture as metrics: what the newest snapshot of the store says, counted, for Prometheus."""
