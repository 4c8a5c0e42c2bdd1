"""Watching: is all well, and if not, why."""
