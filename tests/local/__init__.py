"""What is there for trying out: the embedded Redis, the local workspace and its page."""
