"""The inputs: files and folders, stdin, HTTP.

Each one ends up as files that are read from a position on.
"""
