"""What we do: the only layer that orders I/O."""
