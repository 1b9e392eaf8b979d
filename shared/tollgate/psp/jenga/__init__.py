"""Jenga (Equity, Finserve): the hosted checkout, and prompts for M-Pesa. adapter.py is the Psp."""
