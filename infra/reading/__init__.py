"""What is read out of the store and said of it: one id, a story, its evidence."""
