"""The sources: one module each, found by streams.source because it lies in this folder."""
