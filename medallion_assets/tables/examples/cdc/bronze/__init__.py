"""One file a bronze table."""
