"""Where we remember it: the only SQL outside migrations/, the only Redis."""
