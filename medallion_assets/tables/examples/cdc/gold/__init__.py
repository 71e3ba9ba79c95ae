"""Gold is made of silver, whatever tool its changes come from: one example is enough."""
