"""Records: from the bytes of files and messages to what may be taken out of a record."""
