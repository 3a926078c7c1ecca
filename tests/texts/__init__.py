"""All that people read comes from the catalog."""
