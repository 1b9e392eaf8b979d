"""The ways to pay that the contract is run for. A PSP joins it by an entry in KINDS.

An entry says how its stand-in is started and what a payment needs there. What a PSP can do is not
said here: that are its adapter's capabilities.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from random import Random
from typing import Any

import pytest

from local.clock import Clock
from local.jenga import JengaStandIn
from local.jenga.keys import new_private_key, public_key_of
from local.paypal import PayPalStandIn
from local.pesapal import PesapalStandIn
from local.standin.front import StandIn
from local.stripe import StripeStandIn
from tollgate.domain.capabilities import Capabilities
from tollgate.domain.keyring import Keyring
from tollgate.domain.psp_token import Token
from tollgate.psp import REGISTRY, open_psp
from tollgate.settings import Settings

MERCHANT = "9837446275"
PATH_TOKEN = "token-in-the-path-of-the-suite"
PRIVATE_KEY = new_private_key()
PUBLIC_KEY = public_key_of(PRIVATE_KEY)


@dataclass(frozen=True)
class Place:
    """Where a stand-in stands: served at `url`, telling us at `webhook_url` + /<its PSP>."""

    clock: Clock
    url: str
    webhook_url: str

    @property
    def means(self) -> dict[str, Any]:
        """What every stand-in is made with."""
        return {
            "clock": self.clock,
            "base_url": self.url,
            "state_file": None,
            "log": lambda _line: None,
            "random": Random(20),
        }


Opened = tuple[StandIn, dict[str, str]]
"""A stand-in, and the settings that only it can tell."""


@dataclass(frozen=True)
class Kind:
    """One way to pay at one PSP.

    body        what the app sends besides the price, to pay in this way
    action      the type of the next action
    credential  the setting without which the PSP knows us no more
    signs       whether what it tells us is signed, so that it can't be changed on the way
    live_words  how its API says that an object is of test mode, and of live mode; None where it
                does not say
    tells_currency  whether money can come in another currency, and its API then says so
    is_variant  whether it is like another kind but for what few tests are about
    """

    psp: str
    currency: str
    action: str
    credential: str
    values: Mapping[str, str]
    open: Callable[[Place], Opened]
    body: Mapping[str, Any] = field(default_factory=dict)
    signs: bool = False
    live_words: tuple[bytes, bytes] | None = None
    tells_currency: bool = True
    is_variant: bool = False

    @cached_property
    def can(self) -> Capabilities:
        """The adapter's own word, under these settings."""
        settings = Settings(
            livemode=False,
            database_url="",
            redis_url="",
            cache_secret=b"",
            public_url="",
            access_token_keys=Keyring({}),
            psp_values=self.values,
        )
        return open_psp(self.psp, settings, _NoTokens()).capabilities


class _NoTokens:
    def get(self, name: str, fetch: Callable[[], Token], refused: str | None = None) -> str:
        """See Tokens.get."""
        raise AssertionError("nobody is asked yet")


def _stripe(place: Place) -> Opened:
    stand_in = StripeStandIn(
        secret_key=STRIPE["STRIPE_SECRET_KEY"],
        webhook_secret=STRIPE["STRIPE_WEBHOOK_SECRET"],
        webhook_url=f"{place.webhook_url}/stripe",
        **place.means,
    )
    return stand_in, {"STRIPE_API_URL": place.url}


def _paypal(place: Place) -> Opened:
    stand_in = PayPalStandIn(
        client_id=PAYPAL["PAYPAL_CLIENT_ID"],
        client_secret=PAYPAL["PAYPAL_CLIENT_SECRET"],
        webhook_id=PAYPAL["PAYPAL_WEBHOOK_ID"],
        webhook_url=f"{place.webhook_url}/paypal",
        **place.means,
    )
    return stand_in, {"PAYPAL_API_URL": place.url, "PAYPAL_CA_PEM": stand_in.ca_pem}


def _pesapal(place: Place) -> Opened:
    stand_in = PesapalStandIn(
        consumer_key=PESAPAL["PESAPAL_CONSUMER_KEY"],
        consumer_secret=PESAPAL["PESAPAL_CONSUMER_SECRET"],
        webhook_url=f"{place.webhook_url}/pesapal/{PESAPAL['PESAPAL_IPN_TOKEN']}",
        **place.means,
    )
    return stand_in, {"PESAPAL_API_URL": place.url, "PESAPAL_IPN_ID": stand_in.ipn_id}


def _jenga(place: Place) -> Opened:
    stand_in = JengaStandIn(
        api_key=JENGA["JENGA_API_KEY"],
        merchant_code=MERCHANT,
        consumer_secret=JENGA["JENGA_CONSUMER_SECRET"],
        public_key=PUBLIC_KEY,
        ipn_user=JENGA["JENGA_IPN_USER"],
        ipn_password=JENGA["JENGA_IPN_PASSWORD"],
        webhook_url=f"{place.webhook_url}/jenga",
        **place.means,
    )
    page = f"{place.url}/processPayment"
    return stand_in, {"JENGA_API_URL": place.url, "JENGA_CHECKOUT_URL": page}


STRIPE = {
    "STRIPE_SECRET_KEY": "sk_test_of_the_suite",
    "STRIPE_PUBLISHABLE_KEY": "pk_test_of_the_suite",
    "STRIPE_WEBHOOK_SECRET": "whsec_of_the_suite",
}
PAYPAL = {
    "PAYPAL_CLIENT_ID": "client-of-the-suite",
    "PAYPAL_CLIENT_SECRET": "secret-of-the-suite",
    "PAYPAL_WEBHOOK_ID": "WH-OF-THE-SUITE",
}
PESAPAL = {
    "PESAPAL_CONSUMER_KEY": "key-of-the-suite",
    "PESAPAL_CONSUMER_SECRET": "secret-of-the-suite",
    "PESAPAL_IPN_TOKEN": PATH_TOKEN,
    "PESAPAL_REFUND_USERNAME": "suite",
}
JENGA = {
    "JENGA_API_KEY": "key-of-the-suite",
    "JENGA_MERCHANT_CODE": MERCHANT,
    "JENGA_CONSUMER_SECRET": "secret-of-the-suite",
    "JENGA_PRIVATE_KEY": PRIVATE_KEY,
    "JENGA_IPN_USER": "jenga-of-the-suite",
    "JENGA_IPN_PASSWORD": "password:of-the-suite",
    "JENGA_CALLBACK_TOKEN": PATH_TOKEN,
}
_STRIPE: dict[str, Any] = {
    "psp": "stripe",
    "credential": "STRIPE_SECRET_KEY",
    "values": STRIPE,
    "open": _stripe,
    "signs": True,
    "live_words": (b'"livemode":false', b'"livemode":true'),
}
_PAYPAL: dict[str, Any] = {
    "psp": "paypal",
    "currency": "USD",
    "action": "redirect",
    "credential": "PAYPAL_CLIENT_SECRET",
    "open": _paypal,
    "signs": True,
}
_JENGA: dict[str, Any] = {
    "psp": "jenga",
    "currency": "KES",
    "credential": "JENGA_CONSUMER_SECRET",
    "values": JENGA,
    "open": _jenga,
}

KINDS = {
    "stripe": Kind(**_STRIPE, currency="KES", action="redirect"),
    "stripe-embedded": Kind(
        **_STRIPE, currency="USD", action="client_secret", body={"page": "embedded"}
    ),
    "paypal": Kind(**_PAYPAL, values=PAYPAL),
    "paypal-vault": Kind(**_PAYPAL, values=PAYPAL | {"PAYPAL_VAULT": "on"}, is_variant=True),
    "pesapal": Kind(
        psp="pesapal",
        currency="KES",
        action="redirect",
        credential="PESAPAL_CONSUMER_SECRET",
        values=PESAPAL,
        open=_pesapal,
    ),
    "jenga": Kind(**_JENGA, action="form_post"),
    "jenga-mpesa": Kind(
        **_JENGA, action="await_push", body={"method": "mpesa"}, tells_currency=False
    ),
}


def without_kind() -> set[str]:
    """The registered PSPs that nobody wrote an entry for."""
    return set(REGISTRY) - {kind.psp for kind in KINDS.values()}


def for_kinds(
    that: Callable[[Kind], bool] = lambda _kind: True, *, variants: bool = False
) -> pytest.MarkDecorator:
    """Runs a test for every kind that this is true of; for variants too, if asked."""
    chosen = [
        name for name, kind in KINDS.items() if that(kind) and (variants or not kind.is_variant)
    ]
    return pytest.mark.parametrize("stage", chosen, indirect=True)
