"""The inputs: files and folders, stdin, HTTP; what they read is files, from a position on."""
