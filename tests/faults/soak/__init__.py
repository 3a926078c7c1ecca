"""Soak: many threads, processes that die, and a Slack and a Redis that misbehave, for minutes."""
