"""How records get in and how stages are run: sources, inputs and the two drivers."""
