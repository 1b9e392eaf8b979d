"""Pesapal: API 3.0. adapter.py is the Psp."""
