"""Pictures: what the boards show of the demo, drawn from the real answers to their queries."""
