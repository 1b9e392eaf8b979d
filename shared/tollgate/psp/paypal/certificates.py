"""The certificate with whose key PayPal signs webhooks: from where, from whom, until when.

A webhook names the address of it, so whoever forges a webhook chooses that address. It is read only
where PayPal keeps certificates, and believed only where a public authority vouches for PayPal.
Source: developer.paypal.com (webhooks, verify signatures).
"""

import base64
import re
import warnings
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tollgate.domain.errors import Misconfigured, PspUnavailable, SignatureRefused

if TYPE_CHECKING:
    import httpx
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.x509 import Certificate
    from cryptography.x509.verification import Store

FETCH_SECONDS = 5.0
CERTIFICATES_BYTES_MAX = 65_536
CHAIN_LENGTH_MAX = 8

_PATH = r"/v1/notifications/certs/[A-Za-z0-9_-]{1,200}"
_AT_PAYPAL = re.compile(rf"https://(?:[a-z0-9-]{{1,63}}\.){{0,4}}paypal\.com{_PATH}", re.ASCII)
"""No port, no user, no capitals, no dot at the end: nothing that two readers of an address could
read in two ways."""

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


class Certificates:
    """PayPal's certificates by their address, kept for the container's life and verified each time.

    `own_url` is a base address that the operator has set, and trusts; `authority` the base64 of
    PEM that takes the place of the public authorities.
    """

    def __init__(self, own_url: str | None, own_is_live: bool, authority: str | None) -> None:
        self._own_url = own_url.rstrip("/") if own_url else None
        self._own_is_live = own_is_live
        self._authority = authority
        self._chains: dict[str, Sequence[Certificate]] = {}

    def is_live(self, url: str) -> bool:
        """The mode that this address stands for. Raises SignatureRefused for one that is no
        address of PayPal's certificates; nothing is read there."""
        if _AT_PAYPAL.fullmatch(url):
            return "sandbox" not in (urlsplit(url).hostname or "").split(".")
        if self._own_url and re.fullmatch(re.escape(self._own_url) + _PATH, url, re.ASCII):
            return self._own_is_live
        raise SignatureRefused

    def key(self, url: str, now: datetime) -> "RSAPublicKey":
        """The key that this address's certificate vouches for at this instant.

        Raises SignatureRefused; PspUnavailable where it can't be read just now.
        """
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

        self.is_live(url)
        chain = self._chains.get(url) or _parsed(_fetched(url))
        self._verify(chain, now)
        key = chain[0].public_key()
        if not isinstance(key, RSAPublicKey):
            raise SignatureRefused
        self._chains[url] = chain
        return key

    def _verify(self, chain: "Sequence[Certificate]", now: datetime) -> None:
        """That an authority vouches, at this instant, for the first one and PayPal's name in it."""
        from cryptography.x509 import DNSName
        from cryptography.x509.verification import PolicyBuilder, VerificationError

        policy = PolicyBuilder().store(self._authorities).time(now)
        try:
            verifier = policy.build_server_verifier(DNSName(_name_of_paypal(chain[0])))
            verifier.verify(chain[0], list(chain[1:]))
        except (VerificationError, ValueError):
            raise SignatureRefused from None

    @cached_property
    def _authorities(self) -> "Store":
        from cryptography.x509.verification import Store

        return Store(self._authority_certificates())

    def _authority_certificates(self) -> "list[Certificate]":
        from cryptography.x509 import load_pem_x509_certificates

        if self._authority is None:
            return _public_authorities()
        try:
            return load_pem_x509_certificates(base64.b64decode(self._authority, validate=True))
        except ValueError:
            raise Misconfigured("The setting PAYPAL_CA_PEM is not the base64 of PEM.") from None


def _public_authorities() -> "list[Certificate]":
    """Those that httpx believes too; without any that can't be read."""
    from pathlib import Path

    import certifi
    from cryptography.utils import CryptographyDeprecationWarning
    from cryptography.x509 import load_pem_x509_certificate

    authorities = []
    with warnings.catch_warnings():
        # some old authority's serial number is none by RFC 5280, and will be refused one day
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        for pem in _PEM.findall(Path(certifi.where()).read_bytes()):
            with suppress(ValueError):
                authorities.append(load_pem_x509_certificate(pem))
    return authorities


def _name_of_paypal(leaf: "Certificate") -> str:
    """A name in the certificate that is PayPal's. Raises SignatureRefused."""
    from cryptography.x509 import DNSName, ExtensionNotFound, SubjectAlternativeName

    try:
        names = leaf.extensions.get_extension_for_class(SubjectAlternativeName).value
    except (ExtensionNotFound, ValueError):
        raise SignatureRefused from None
    for name in names.get_values_for_type(DNSName):
        if re.fullmatch(r"(?:[a-z0-9-]+\.)*paypal\.com", name, re.ASCII):
            return name
    raise SignatureRefused


def _parsed(pem: bytes) -> "Sequence[Certificate]":
    """The certificate, and those that lead from it to its authority. Raises SignatureRefused."""
    from cryptography.x509 import load_pem_x509_certificates

    try:
        chain = load_pem_x509_certificates(pem)
    except ValueError:
        raise SignatureRefused from None
    if len(chain) > CHAIN_LENGTH_MAX:
        raise SignatureRefused
    return chain


def _fetched(url: str) -> bytes:
    """What is at this address, which was found good. Raises PspUnavailable, SignatureRefused."""
    import httpx

    from tollgate.psp.deadline import DeadlineTransport

    client = httpx.Client(
        transport=DeadlineTransport(FETCH_SECONDS), timeout=FETCH_SECONDS, trust_env=False
    )
    try:
        with client, client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as answer:
            if answer.status_code in (404, 410):
                raise SignatureRefused
            if answer.status_code != 200:
                raise PspUnavailable("PayPal's certificate can't be read just now.")
            return _limited(answer)
    except httpx.HTTPError:
        raise PspUnavailable("PayPal's certificate can't be read just now.") from None


def _limited(answer: "httpx.Response") -> bytes:
    read = b""
    for part in answer.iter_raw():
        read += part
        if len(read) > CERTIFICATES_BYTES_MAX:
            raise SignatureRefused
    return read
