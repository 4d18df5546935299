"""Where alerts and history go: one module for each receiver, effectively once by id."""
