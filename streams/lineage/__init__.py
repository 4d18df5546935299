"""Lineage: what calls and workflows make, out of what, and what they end."""
