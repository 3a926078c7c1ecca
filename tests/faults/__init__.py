"""What is broken by force, and what must hold."""
