"""The demo: two days of a fictional insurer, told in the formats of real tools."""
