"""Rules on values which Stripe enforces and the SDK's types cannot say."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from local.stripe.currencies import SUPPORTED
from local.stripe.errors import Json, invalid_integer, invalid_parameter, not_modelled

AMOUNT_MAX = 99_999_999


def check_amount(amount: int, param: str) -> None:
    """From one minor unit to eight digits."""
    if amount < 1:
        raise invalid_integer(param, str(amount))
    if amount > AMOUNT_MAX:
        message = f"Amount must be no more than {AMOUNT_MAX}."
        raise invalid_parameter(param, message, "amount_too_large")


def check_currency(currency: str, param: str) -> None:
    """A code Stripe lists, in lower case."""
    if currency not in SUPPORTED:
        raise invalid_parameter(param, f"Invalid currency: {currency}.", "invalid_currency")


def check_url(url: str, param: str) -> None:
    """An absolute http or https address."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise invalid_parameter(param, "Not a valid URL", "url_invalid")


def check_length(text: str, longest: int, param: str) -> None:
    if len(text) > longest:
        raise invalid_parameter(param, f"Invalid string: at most {longest} characters.")


def check_metadata(metadata: dict[str, str], param: str = "metadata") -> None:
    """At most 50 keys of 40 characters with values of 500 (docs.stripe.com/api/metadata)."""
    if len(metadata) > 50:
        raise invalid_parameter(param, "Metadata can hold at most 50 keys.")
    for name, value in metadata.items():
        if len(name) > 40:
            raise invalid_parameter(param, f"Metadata keys have at most 40 characters: {name}")
        check_length(value, 500, f"{param}[{name}]")


def refuse_unmodelled(params: Json, unmodelled: Iterable[str], path: str = "") -> None:
    """Stops at a parameter that would change the money or the flow in ways not modelled here."""
    for name in unmodelled:
        if name in params:
            raise not_modelled(f"{path}[{name}]" if path else name)
