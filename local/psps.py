"""The PSPs of a laptop: their stand-ins, and what project.yml's placeholders for them stand for."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from local.clock import Clock
from local.jenga import JengaStandIn
from local.jenga.keys import new_private_key, public_key_of
from local.paypal import PayPalStandIn
from local.pesapal import PesapalStandIn
from local.standin.front import StandIn
from local.stripe import StripeStandIn

LEFT_OUT = "none"


@dataclass(frozen=True)
class Laptop:
    """Where the stand-ins stand. `rest_url` is where they call us, `psp_url` where we call them."""

    directory: Path
    clock: Clock
    rest_url: str
    psp_url: str
    log: Callable[[str], None]


def environment_of_psps(psp_url: str) -> dict[str, str]:
    """New keys and secrets, and the stand-ins' addresses."""
    return {
        "STRIPE_API_URL": psp_url,
        "STRIPE_SECRET_KEY": f"sk_test_{secrets.token_hex(12)}",
        "STRIPE_PUBLISHABLE_KEY": f"pk_test_{secrets.token_hex(12)}",
        "STRIPE_WEBHOOK_SECRET": f"whsec_{secrets.token_hex(16)}",
        "PAYPAL_API_URL": f"{psp_url}/paypal",
        "PAYPAL_CLIENT_ID": secrets.token_hex(20),
        "PAYPAL_CLIENT_SECRET": secrets.token_hex(20),
        "PAYPAL_WEBHOOK_ID": secrets.token_hex(8).upper(),
        "PAYPAL_VAULT": "on",
        "PESAPAL_API_URL": f"{psp_url}/pesapal",
        "PESAPAL_CONSUMER_KEY": secrets.token_hex(16),
        "PESAPAL_CONSUMER_SECRET": secrets.token_hex(16),
        "PESAPAL_IPN_TOKEN": secrets.token_urlsafe(24),
        "PESAPAL_REFUND_USERNAME": "laptop",
        "JENGA_API_URL": f"{psp_url}/jenga",
        "JENGA_CHECKOUT_URL": f"{psp_url}/jenga/processPayment",
        "JENGA_API_KEY": secrets.token_hex(20),
        "JENGA_MERCHANT_CODE": f"{secrets.randbelow(10**10):010}",
        "JENGA_CONSUMER_SECRET": secrets.token_hex(20),
        "JENGA_PRIVATE_KEY": new_private_key(),
        "JENGA_IPN_USER": "jenga",
        "JENGA_IPN_PASSWORD": secrets.token_urlsafe(24),
        "JENGA_CALLBACK_TOKEN": secrets.token_urlsafe(24),
        "JENGA_COUNTRY_CODE": LEFT_OUT,
    }


def stand_ins(laptop: Laptop, environment: dict[str, str]) -> dict[str, StandIn]:
    """One for each PSP. What only they can tell is put into `environment` too."""
    paypal = _paypal(laptop, environment)
    pesapal = _pesapal(laptop, environment)
    environment["PAYPAL_CA_PEM"] = paypal.ca_pem
    environment["PESAPAL_IPN_ID"] = pesapal.ipn_id
    return {
        "stripe": _stripe(laptop, environment),
        "paypal": paypal,
        "pesapal": pesapal,
        "jenga": _jenga(laptop, environment),
    }


def webhook_secrets(environment: dict[str, str]) -> dict[str, str]:
    """What proves that a PSP calls: for programs that want to call in its place."""
    user, password = environment["JENGA_IPN_USER"], environment["JENGA_IPN_PASSWORD"]
    return {
        "stripe": environment["STRIPE_WEBHOOK_SECRET"],
        "paypal": environment["PAYPAL_WEBHOOK_ID"],
        "pesapal": environment["PESAPAL_IPN_TOKEN"],
        "jenga": f"{user}:{password}",
    }


def _stripe(laptop: Laptop, environment: dict[str, str]) -> StripeStandIn:
    return StripeStandIn(
        clock=laptop.clock,
        secret_key=environment["STRIPE_SECRET_KEY"],
        webhook_secret=environment["STRIPE_WEBHOOK_SECRET"],
        webhook_url=f"{laptop.rest_url}/webhook/stripe",
        base_url=laptop.psp_url,
        state_file=laptop.directory / "stripe.json",
        log=laptop.log,
    )


def _paypal(laptop: Laptop, environment: dict[str, str]) -> PayPalStandIn:
    return PayPalStandIn(
        clock=laptop.clock,
        client_id=environment["PAYPAL_CLIENT_ID"],
        client_secret=environment["PAYPAL_CLIENT_SECRET"],
        webhook_id=environment["PAYPAL_WEBHOOK_ID"],
        webhook_url=f"{laptop.rest_url}/webhook/paypal",
        base_url=environment["PAYPAL_API_URL"],
        state_file=laptop.directory / "paypal.json",
        log=laptop.log,
    )


def _pesapal(laptop: Laptop, environment: dict[str, str]) -> PesapalStandIn:
    return PesapalStandIn(
        clock=laptop.clock,
        consumer_key=environment["PESAPAL_CONSUMER_KEY"],
        consumer_secret=environment["PESAPAL_CONSUMER_SECRET"],
        webhook_url=f"{laptop.rest_url}/webhook/pesapal/{environment['PESAPAL_IPN_TOKEN']}",
        base_url=environment["PESAPAL_API_URL"],
        state_file=laptop.directory / "pesapal.json",
        log=laptop.log,
    )


def _jenga(laptop: Laptop, environment: dict[str, str]) -> JengaStandIn:
    return JengaStandIn(
        clock=laptop.clock,
        api_key=environment["JENGA_API_KEY"],
        merchant_code=environment["JENGA_MERCHANT_CODE"],
        consumer_secret=environment["JENGA_CONSUMER_SECRET"],
        public_key=public_key_of(environment["JENGA_PRIVATE_KEY"]),
        ipn_user=environment["JENGA_IPN_USER"],
        ipn_password=environment["JENGA_IPN_PASSWORD"],
        webhook_url=f"{laptop.rest_url}/webhook/jenga",
        base_url=environment["JENGA_API_URL"],
        state_file=laptop.directory / "jenga.json",
        log=laptop.log,
    )
