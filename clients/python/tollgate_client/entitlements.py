"""Has this client paid? Answered without the network, from what Tollgate signed.

An entitlement is a JWS in compact form (RFC 7515), signed with Ed25519 (RFC 8037).
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, NoReturn

import httpx
from cryptography.exceptions import InvalidSignature

from tollgate_client.base64url import decode
from tollgate_client.errors import EntitlementRefused
from tollgate_client.models import instant
from tollgate_client.signing_keys import FetchJwks, SigningKeys

MAX_BYTES = 4096
FETCH_TIMEOUT_SECONDS = 5.0

_FORBIDDEN_HEADERS = frozenset({"crit", "jwk", "jku", "x5u", "x5c", "b64"})
"""What would let a token bring its own key, or change what its signature means."""

_LATEST = 253_402_300_799  # the end of the year 9999


@dataclass(frozen=True)
class Entitlement:
    """A client has access to a product until `expires_at`; ask Tollgate again then."""

    client_id: str
    product: str
    plan: str | None
    reason: str
    paid_through: datetime | None
    issued_at: datetime
    expires_at: datetime


class Entitlements:
    """Verifies the entitlements of one app. Safe to share between threads.

    issuer                 Tollgate's public URL, the `base_url` of the API
    app_id                 this app's id, `app_…`
    fetch_jwks             gives the public keys; by default GET {issuer}/auth/keys
    clock                  seconds since 1970
    exp_leeway_seconds     for how long an expired one still counts; extends access
    iat_leeway_seconds     how far Tollgate's clock may be ahead of this one
    """

    def __init__(
        self,
        issuer: str,
        app_id: str,
        fetch_jwks: FetchJwks | None = None,
        *,
        clock: Callable[[], float] = time.time,
        exp_leeway_seconds: float = 0,
        iat_leeway_seconds: float = 60,
    ) -> None:
        self._issuer, self._app_id, self._clock = issuer.rstrip("/"), app_id, clock
        self._exp_leeway, self._iat_leeway = exp_leeway_seconds, iat_leeway_seconds
        self._keys = SigningKeys(fetch_jwks or self._fetch_jwks)

    def verify(
        self, jws: str, client_id: str | None = None, product: str | None = None
    ) -> Entitlement:
        """What was signed, for this client and this product if they are given.

        Asks the network only for public keys: once an hour, and for an unknown key id, at most
        once a minute. Raises EntitlementRefused.
        """
        claims = self._verified_claims(jws)
        if claims.get("iss") != self._issuer:
            _refuse("it is of another Tollgate")
        if claims.get("aud") != self._app_id:
            _refuse("it is for another app")
        if claims.get("active") is not True:
            _refuse("it does not say that the client is active")
        entitlement = _read(claims)
        now = self._clock()
        if now >= entitlement.expires_at.timestamp() + self._exp_leeway:
            _refuse("it has expired")
        if entitlement.issued_at.timestamp() > now + self._iat_leeway:
            _refuse("it is from the future")
        if client_id is not None and entitlement.client_id != client_id:
            _refuse("it is for another client")
        if product is not None and entitlement.product != product:
            _refuse("it is for another product")
        return entitlement

    def _verified_claims(self, jws: str) -> Mapping[str, Any]:
        """What the signature is over; nothing of it is looked at before the signature."""
        if not isinstance(jws, str) or len(jws) > MAX_BYTES or jws.count(".") != 2:
            _refuse("it is not a token")
        signed, _, signature = jws.rpartition(".")
        header_part, _, payload_part = signed.partition(".")
        try:
            header = _json_object(decode(header_part))
            signature_bytes = decode(signature)
        except ValueError:
            _refuse("it is not a token")
        key = self._keys.find(_key_id(header))
        if key is None:
            _refuse("its key is not known")
        try:
            key.verify(signature_bytes, signed.encode("ascii"))
            return _json_object(decode(payload_part))
        except InvalidSignature:
            _refuse("its signature is wrong")
        except ValueError:
            _refuse("it is not a token")

    def _fetch_jwks(self) -> Mapping[str, Any]:
        response = httpx.get(f"{self._issuer}/auth/keys", timeout=FETCH_TIMEOUT_SECONDS)
        response.raise_for_status()
        document: Mapping[str, Any] = response.json()
        return document


def _refuse(reason: str) -> NoReturn:
    raise EntitlementRefused(f"The entitlement gives no access: {reason}.") from None


def _key_id(header: Mapping[str, Any]) -> str:
    key_id = header.get("kid")
    if header.get("alg") != "EdDSA" or header.get("typ") != "entitlement+jwt":
        _refuse("it is a token of another kind")
    if not isinstance(key_id, str) or not _FORBIDDEN_HEADERS.isdisjoint(header):
        _refuse("its header is not one of Tollgate's")
    return key_id


def _read(claims: Mapping[str, Any]) -> Entitlement:
    paid_through = claims.get("paid_through")
    try:
        return Entitlement(
            client_id=_text(claims.get("sub")),
            product=_text(claims.get("product")),
            plan=_text(claims["plan"]) if claims.get("plan") is not None else None,
            reason=_text(claims.get("reason")),
            paid_through=None if paid_through is None else instant(_text(paid_through)),
            issued_at=_seconds(claims.get("iat")),
            expires_at=_seconds(claims.get("exp")),
        )
    except ValueError:
        _refuse("its claims are not Tollgate's")


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("not a text")
    return value


def _seconds(value: object) -> datetime:
    # by exact type: True is an int elsewhere
    if type(value) is not int or not 0 <= value <= _LATEST:
        raise ValueError("not a time")
    return datetime.fromtimestamp(value, timezone.utc)


def _json_object(text: bytes) -> dict[str, Any]:
    """Strict JSON: UTF-8, every name once, no NaN. Raises ValueError."""
    try:
        value = _STRICT.decode(text.decode("utf-8"))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise ValueError("a name occurs twice")
    return names


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_STRICT = json.JSONDecoder(object_pairs_hook=_each_name_once, parse_constant=_no_constant)
