"""What builds the package data from published sources; users never run it."""
