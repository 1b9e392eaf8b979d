"""Who moves the money. A PSP is one file here and one line in the registry below."""

from importlib import import_module

from tollgate.domain.errors import UnsupportedPsp
from tollgate.psp.protocol import Psp, Tokens
from tollgate.settings import Settings

REGISTRY = {
    "stripe": "tollgate.psp.stripe.adapter:Stripe",
    "paypal": "tollgate.psp.paypal.adapter:PayPal",
    "pesapal": "tollgate.psp.pesapal.adapter:Pesapal",
    "jenga": "tollgate.psp.jenga.adapter:Jenga",
}
"""Name, as in the API and in the webhook's path: where its adapter is. Imported when asked for."""


def open_psp(name: str, settings: Settings, tokens: Tokens) -> Psp:
    """The adapter of this name. Raises UnsupportedPsp, or Misconfigured when a setting lacks."""
    if name not in REGISTRY:
        raise UnsupportedPsp(f"PSPs here: {', '.join(REGISTRY)}.")
    module, _, attribute = REGISTRY[name].partition(":")
    adapter: Psp = getattr(import_module(module), attribute)(settings, tokens)
    return adapter
