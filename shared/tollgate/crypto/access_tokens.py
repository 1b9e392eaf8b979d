"""Short-lived access tokens for our own functions: JWTs after RFC 9068, signed with HS256.

PyJWT makes and checks the signature and is imported where it is needed: it costs a cold start
180 ms, which only callers with tokens should pay. What a token says is read here, because PyJWT is
more lenient than a verifier may be: it takes an `exp` that is text, any text as `sub`, a list as
`aud`, claims that stand twice, headers it does not know, and its own clock.
"""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tollgate.domain.ids import RandomBytes, is_client_id, is_key_id
from tollgate.domain.keyring import KEY_BYTES, Keyring
from tollgate.domain.principal import Role

LIFETIME_SECONDS = 600
MAX_CLOCK_SKEW_SECONDS = 60
"""How far the clock of who minted a token may be ahead of ours."""
MAX_LENGTH = 4096
"""Of a token, in characters."""

_HEADER = {"alg": "HS256", "typ": "at+jwt"}
_TOKEN_ID = re.compile(r"[0-9a-f]{32}")
_SCOPE = re.compile(r"[!#-\[\]-~]{1,64}")  # RFC 6749 §3.3, of a length that leaves room
_MAX_SCOPES = 16
_NOBODYS_KEY = bytes(KEY_BYTES)


class TokenRefused(Exception):
    """This is no token of ours that is valid now. It does not say why."""


@dataclass(frozen=True)
class AccessToken:
    """What a token proves: who calls, and what the caller may do.

    `key_id` is the API key it was minted for; `subject` is the client's id, the app's id or
    "admin", after the role. Raises ValueError for what a token cannot hold.
    """

    key_id: str
    role: Role
    subject: str
    scopes: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not is_key_id(self.key_id):
            raise ValueError("the public id of an API key is 16 small letters and digits")
        if not is_client_id(self.subject):
            raise ValueError("a subject is shaped like a client's id")
        if len(self.scopes) > _MAX_SCOPES or not all(map(_SCOPE.fullmatch, self.scopes)):
            raise ValueError(f"a token has up to {_MAX_SCOPES} scopes of up to 64 characters")


def mint(
    keyring: Keyring, token: AccessToken, *, issuer: str, now: datetime, random_bytes: RandomBytes
) -> str:
    """The token in compact form. It lasts for LIFETIME_SECONDS, and whoever holds it has it."""
    import jwt

    issued_at = int(now.timestamp())
    claims = {
        "iss": issuer,
        "aud": issuer,  # the functions that it is for are those that made it
        "exp": issued_at + LIFETIME_SECONDS,
        "iat": issued_at,
        "jti": random_bytes(16).hex(),
        "client_id": token.key_id,
        "sub": token.subject,
        "scope": " ".join(sorted(token.scopes)),
        "role": token.role.value,
    }
    header = {**_HEADER, "kid": keyring.current_id}
    return jwt.encode(claims, keyring.current, algorithm="HS256", headers=header)


def verify(keyring: Keyring, text: str, *, issuer: str, now: datetime) -> AccessToken:
    """What this token proves at `now`. Raises TokenRefused, alike for every reason."""
    try:
        return _token(_proven_claims(keyring, text), issuer, now.timestamp())
    except (ValueError, RecursionError):  # the latter from JSON that is nested deeply
        pass
    raise TokenRefused  # out here, so that the reason is not chained to it


def _proven_claims(keyring: Keyring, text: str) -> Mapping[str, object]:
    """The claims that a key of the ring was put to. Raises ValueError."""
    if len(text) > MAX_LENGTH:
        raise ValueError("too long")
    header, payload, _ = [_decoded(part) for part in text.split(".")]
    key_id = _key_id(_json_object(header))
    # an id that nobody has costs what a wrong signature costs
    signed = _is_signed(text, keyring.keys.get(key_id, _NOBODYS_KEY))
    if not signed or key_id not in keyring.keys:
        raise ValueError("not signed by us")
    return _json_object(payload)


def _decoded(part: str) -> bytes:
    decoded = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    # that lets pass stray characters, padding, and any bits that the last one has to spare
    if base64.urlsafe_b64encode(decoded).rstrip(b"=") != part.encode():
        raise ValueError("not the one way to write it")
    return decoded


def _json_object(data: bytes) -> dict[str, object]:
    value = json.loads(data.decode(), object_pairs_hook=_each_name_once)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _each_name_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _key_id(header: Mapping[str, object]) -> str:
    """The key's id, of a header that holds nothing else of its own choice."""
    key_id = _text(header, "kid")
    if header != {**_HEADER, "kid": key_id}:
        raise ValueError("not a header of ours")
    return key_id


def _is_signed(text: str, key: bytes) -> bool:
    from jwt import PyJWTError
    from jwt.api_jws import decode

    try:
        decode(text, key, algorithms=["HS256"])
    except PyJWTError:
        return False
    return True


def _token(claims: Mapping[str, object], issuer: str, now: float) -> AccessToken:
    """What these claims say, for this issuer at this instant (Unix seconds). Raises ValueError.

    Claims that are not known are let be (RFC 7519 §4), so that one can be added in a deployment.
    """
    issued_at, expires_at = _whole_number(claims, "iat"), _whole_number(claims, "exp")
    if not 0 < expires_at - issued_at <= LIFETIME_SECONDS:
        raise ValueError("not a lifetime that we give")
    if not issued_at - MAX_CLOCK_SKEW_SECONDS <= now < expires_at:
        raise ValueError("not valid now")
    if _text(claims, "iss") != issuer or _text(claims, "aud") != issuer:
        raise ValueError("not of and for this deployment")
    if not _TOKEN_ID.fullmatch(_text(claims, "jti")):
        raise ValueError("not a token's id")
    scope = _text(claims, "scope")
    return AccessToken(
        key_id=_text(claims, "client_id"),
        role=Role(_text(claims, "role")),
        subject=_text(claims, "sub"),
        scopes=frozenset(scope.split(" ")) if scope else frozenset(),
    )


def _text(values: Mapping[str, object], name: str) -> str:
    value = values.get(name)
    if not isinstance(value, str):
        raise ValueError("not a text")
    return value


def _whole_number(values: Mapping[str, object], name: str) -> int:
    value = values.get(name)
    if type(value) is not int:  # a bool would be an instance of int
        raise ValueError("not a whole number")
    return value
