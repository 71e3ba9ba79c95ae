"""Gold is made of silver, whatever tool its changes come from: those of Debezium are example enough."""
