"""Graphs as people write them: those that do something twice, and those that do not."""
