"""Mapping: formats that no source knows, read by what a user writes down of them in YAML."""
