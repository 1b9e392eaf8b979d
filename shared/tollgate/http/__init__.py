"""How a call comes in. Knows nothing of payments; an entry file joins it to an operation."""
