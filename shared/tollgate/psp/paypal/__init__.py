"""PayPal: Orders v2. adapter.py is the Psp."""
