"""One file a gold table."""
