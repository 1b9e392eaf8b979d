"""Who moves the money. A PSP is one file here and one line in the registry below."""

from importlib import import_module

from tollgate.domain.errors import UnsupportedPsp
from tollgate.psp.protocol import Psp
from tollgate.settings import Settings

REGISTRY = {
    "stripe": "tollgate.psp.stripe:Stripe",
}
"""Name, as in the API and in the webhook's path: where its adapter is. Imported when asked for."""


def open_psp(name: str, settings: Settings) -> Psp:
    """The adapter of this name. Raises UnsupportedPsp, or Misconfigured when a setting lacks."""
    if name not in REGISTRY:
        raise UnsupportedPsp(f"PSPs here: {', '.join(REGISTRY)}.")
    module, _, attribute = REGISTRY[name].partition(":")
    adapter: Psp = getattr(import_module(module), attribute)(settings)
    return adapter
