"""How results reach sinks: what a sink is, the loop that feeds one, revisions and dead letters."""
