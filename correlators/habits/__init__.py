"""Habits: what a group usually does, learnt from matches of a detection, and departures from it."""
