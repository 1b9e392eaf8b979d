"""A stand-in for Pesapal on loopback: API 3.0, its payment page, and IPNs that get lost."""

from local.pesapal.app import PesapalStandIn

__all__ = ["PesapalStandIn"]
