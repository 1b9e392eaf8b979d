"""Tollgate's public keys (JWKS, RFC 7517): fetched seldom, kept while the network is gone."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tollgate_client.base64url import decode
from tollgate_client.errors import TollgateError

FRESH_SECONDS = 3600
RETRY_SECONDS = 60
"""A token with an unknown key id must not make us fetch more often than this."""

FetchJwks = Callable[[], Mapping[str, Any]]

_log = logging.getLogger("tollgate_client")


class SigningKeys:
    """Ed25519 public keys by their id.

    `fetch` gives the JWKS. A TollgateError, httpx.HTTPError, OSError or ValueError of it means
    that there is none to be had just now: the last one stays in use.
    """

    def __init__(
        self, fetch: FetchJwks, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch, self._monotonic = fetch, monotonic
        self._fetching = threading.Lock()
        self._keys: Mapping[str, Ed25519PublicKey] = {}
        self._fresh_until = self._next_fetch_at = float("-inf")

    def find(self, key_id: str) -> Ed25519PublicKey | None:
        """The key of this id; None when there is none."""
        key = self._keys.get(key_id)
        if key is not None and self._monotonic() < self._fresh_until:
            return key
        # who has a key goes on with it while another thread fetches; who has none waits
        if self._fetching.acquire(blocking=key is None):
            try:
                if self._monotonic() >= self._next_fetch_at:
                    self._refresh()
            finally:
                self._fetching.release()
        return self._keys.get(key_id)

    def _refresh(self) -> None:
        self._next_fetch_at = self._monotonic() + RETRY_SECONDS
        try:
            self._keys = read_jwks(self._fetch())
        except (TollgateError, httpx.HTTPError, OSError, ValueError) as error:
            _log.warning("Tollgate's public keys can't be fetched: %s", type(error).__name__)
        else:
            self._fresh_until = self._monotonic() + FRESH_SECONDS


def read_jwks(document: Mapping[str, Any]) -> dict[str, Ed25519PublicKey]:
    """The Ed25519 keys of a JWKS; others are passed over. Raises ValueError if it is none."""
    entries = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(entries, list):
        raise ValueError("not a JWKS")
    return {entry["kid"]: _key(entry) for entry in entries if _is_ours(entry)}


def _is_ours(entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and entry.get("kty") == "OKP"
        and entry.get("crv") == "Ed25519"
        and entry.get("use", "sig") == "sig"
        and entry.get("alg", "EdDSA") == "EdDSA"
        and isinstance(entry.get("kid"), str)
        and isinstance(entry.get("x"), str)
    )


def _key(entry: Mapping[str, str]) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(decode(entry["x"]))
