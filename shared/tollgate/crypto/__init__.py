"""How we seal: access tokens, entitlements, fields of a row. Keys come in as a Keyring."""
