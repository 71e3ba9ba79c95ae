"""Empty: gold is made of silver, whatever tool its changes come from."""
