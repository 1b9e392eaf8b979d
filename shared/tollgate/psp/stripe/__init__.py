"""Stripe: hosted sessions, PaymentIntents, saved methods. adapter.py is the Psp."""
