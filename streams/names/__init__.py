"""Names: the one id of a thing, whichever source names it."""
