"""What the API says: pydantic models of every body and answer, the public contract."""
