"""A real OpenSearch node on loopback, for tests and for trying things."""
