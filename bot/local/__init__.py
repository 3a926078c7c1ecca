"""A Slack workspace and a Redis of one's own, on loopback: for trying out and for tests."""
