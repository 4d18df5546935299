"""The read API of `barograph run`: the store's newest snapshot over HTTP, documented by itself."""
