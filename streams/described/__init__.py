"""Described: things as the describe and list calls of clouds and platforms answer them."""
