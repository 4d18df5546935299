"""The verdict on a tool call before it is made: advice out of the store, with its reasons."""
