"""What needs neither Spark nor a server."""
