"""One file a silver table."""
