"""PayPal's stand-in: the part of PayPal this project uses, on loopback, where no money moves."""

from local.paypal.app import PayPalStandIn

__all__ = ["PayPalStandIn"]
