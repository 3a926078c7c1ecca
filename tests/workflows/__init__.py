"""What the workflows promise: the graphs, the runner, the saver, the effects."""
