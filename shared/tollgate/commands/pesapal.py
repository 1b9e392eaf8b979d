"""`pesapal`: the address at which Pesapal tells of payments, and what orders name it by."""

import argparse
import json
import re
import secrets
from collections.abc import Callable
from urllib.parse import urlsplit

from tollgate.commands.nouns import Failed, Nouns, tell, verbs_of
from tollgate.domain.psp_token import Token
from tollgate.psp.pesapal.api import Api
from tollgate.psp.pesapal.ipn import Ipn, list_ipns, register_ipn
from tollgate.settings import Settings

_TOKEN_BYTES = 32
_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,255}")
_LOOPBACK = ("127.0.0.1", "localhost")


def add_to(nouns: Nouns) -> None:
    """Adds `pesapal register-ipn` and `pesapal list-ipns`."""
    verbs = verbs_of(nouns, "pesapal")
    register = verbs.add_parser(
        "register-ipn", help="has Pesapal tell this deployment of payments, by POST"
    )
    register.add_argument(
        "--url",
        required=True,
        type=_address,
        help="https://…/webhook/receive/pesapal; PESAPAL_IPN_TOKEN is put behind it",
    )
    register.set_defaults(run=_register)
    listed = verbs.add_parser("list-ipns", help="what is registered; a line of JSON each")
    listed.set_defaults(run=_list)


class _TokensOfOneRun:
    """Keeps a token for as long as a command runs. See Tokens."""

    def __init__(self) -> None:
        self._token: Token | None = None

    def get(self, _name: str, fetch: Callable[[], Token], refused: str | None = None) -> str:
        if self._token is None or self._token.value == refused:
            self._token = fetch()
        return self._token.value


def _register(arguments: argparse.Namespace) -> str:
    """Registers the address unless it is registered; the settings that make use of it."""
    settings = Settings.of_operator()
    api = Api(settings, _TokensOfOneRun())
    known = settings.find_psp_value("PESAPAL_IPN_TOKEN")
    token = known or secrets.token_urlsafe(_TOKEN_BYTES)
    if not _TOKEN.fullmatch(token):
        raise Failed("PESAPAL_IPN_TOKEN has to be 20 or more letters, digits, - and _.")
    url = f"{arguments.url}/{token}"
    ipn = _find_active(list_ipns(api), url) or register_ipn(api, url)
    tell("Put this into .env, in the place of what is there under the same name, and deploy.")
    made = [] if known else [f"PESAPAL_IPN_TOKEN={token}"]
    return "\n".join([*made, f"PESAPAL_IPN_ID={ipn.id}"])


def _list(_arguments: argparse.Namespace) -> str:
    settings = Settings.of_operator()
    token = settings.find_psp_value("PESAPAL_IPN_TOKEN")
    orders_name = settings.find_psp_value("PESAPAL_IPN_ID")
    return "\n".join(
        json.dumps(
            {
                "ipn_id": ipn.id,
                "url": ipn.url.replace(token, "***") if token else ipn.url,
                "active": ipn.is_active,
                "in_use": ipn.id == orders_name,
            }
        )
        for ipn in list_ipns(Api(settings, _TokensOfOneRun()))
    )


def _find_active(ipns: list[Ipn], url: str) -> Ipn | None:
    return next((ipn for ipn in ipns if ipn.url == url and ipn.is_active), None)


def _address(text: str) -> str:
    """Where the webhook is, without a slash at the end: https, but on this machine."""
    parts = urlsplit(text)
    is_safe = parts.scheme == "https" or parts.hostname in _LOOPBACK
    if not is_safe or not parts.netloc or parts.query or parts.fragment:
        raise argparse.ArgumentTypeError("an address that starts with https:// and has no query")
    return text.rstrip("/")
