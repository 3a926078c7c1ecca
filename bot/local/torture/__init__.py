"""Crash a workflow at every call that it makes to the outside, and compare how it ends."""
