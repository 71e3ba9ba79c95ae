"""What the make targets run: one module, one command. They call the other rooms; nothing calls them."""
