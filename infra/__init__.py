"""The composition root: command line, topics, boards and deployment files."""
