"""How the cases beside each kind of rule are run: one module for each folder of rules."""
