"""What runs, and where it waits for a person: graphs, the runner, the saver, the effects."""
