"""How people are asked in Slack, and how their answer gets back to the graph."""
