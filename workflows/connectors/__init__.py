"""The outside systems that effects reach, behind small Protocols."""
