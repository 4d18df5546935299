"""One self-contained HTML page that says what the estate's alerts are, why, and what to do."""
