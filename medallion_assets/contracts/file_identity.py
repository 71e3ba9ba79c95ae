"""What makes a landed file the same file."""

Identity = tuple[int, str]
"""Size in bytes and modification time."""
