"""Compliance: controls assessed from the tables of the store, handed out with evidence."""
