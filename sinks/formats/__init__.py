"""How an alert is said in formats of others."""
