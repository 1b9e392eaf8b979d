"""Stripe's stand-in: the part of Stripe this project uses, on loopback, where no money moves."""

from local.stripe.app import StripeStandIn

__all__ = ["StripeStandIn"]
