"""What rules would have said of a history, and what that tells."""
