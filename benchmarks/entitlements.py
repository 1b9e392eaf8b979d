"""How many entitlements one core verifies in a second: this client, and PyJWT beside it.

    PYTHONPATH=clients/python python benchmarks/entitlements.py [seconds per measurement]

The two take turns in one run, so that a busy machine slows both. PyJWT is given its key and
checks signature, audience, issuer and times; the client also finds the key, and checks the form
(one spelling, no name twice) and what was asked of the client and product.
"""

import base64
import sys
import time
from collections.abc import Callable
from statistics import median

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tollgate_client import Entitlements

ISSUER = "https://tollgate.example/api/v1/web/fn-1"
APP, CLIENT, PRODUCT = "app_019a", "client-1", "pro"
ROUNDS = 5
BATCH = 200


def main(seconds: float) -> None:
    """Measures and prints both rates and their ratio: medians of the rounds."""
    private = Ed25519PrivateKey.generate()
    token, public = _token(private), private.public_key()
    x = base64.urlsafe_b64encode(public.public_bytes_raw()).rstrip(b"=").decode()
    jwks = {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "1", "use": "sig", "x": x}]}
    entitlements = Entitlements(ISSUER, APP, lambda: jwks)

    def by_client() -> None:
        entitlements.verify(token, CLIENT, PRODUCT)

    def by_pyjwt() -> None:
        jwt.decode(token, public, algorithms=["EdDSA"], audience=APP, issuer=ISSUER)

    rounds = [(_rate(by_client, seconds), _rate(by_pyjwt, seconds)) for _ in range(ROUNDS)]
    client, pyjwt = (median(column) for column in zip(*rounds, strict=True))
    ratio = median(ours / theirs for ours, theirs in rounds)
    print(f"tollgate_client {client:9,.0f} verifications a second")
    print(f"PyJWT {jwt.__version__:9} {pyjwt:9,.0f} verifications a second")
    print(f"ratio           {ratio:9.2f}")


def _token(private: Ed25519PrivateKey) -> str:
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": APP,
        "sub": CLIENT,
        "product": PRODUCT,
        "plan": "monthly",
        "active": True,
        "reason": "paid",
        "paid_through": "2030-01-31T09:00:00Z",
        "iat": now,
        "exp": now + 900,
    }
    headers = {"typ": "entitlement+jwt", "kid": "1"}
    return jwt.encode(claims, private, "EdDSA", headers)


def _rate(verify: Callable[[], None], seconds: float) -> float:
    """Calls a second of processor time, so that waiting for a core does not count."""
    done, started = 0, time.process_time()
    while (spent := time.process_time() - started) < seconds:
        for _ in range(BATCH):
            verify()
        done += BATCH
    return done / spent


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)
