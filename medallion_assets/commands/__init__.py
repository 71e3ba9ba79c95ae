"""What the make targets run: one module a command. They use the other folders; no folder uses them."""
