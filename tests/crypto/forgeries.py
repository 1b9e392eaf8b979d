"""Access tokens as an attacker would make them: each right in everything but what its name says.

They are made with the standard library, so that they owe nothing to the code they are aimed at; the
attacker even has our key where the name does not say otherwise.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime

from tollgate.crypto import entitlements
from tollgate.domain.keyring import Keyring

NOW = datetime(2026, 1, 31, 9, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
ISSUER = "https://tollgate.example/live"
KEY, OLD_KEY, FOREIGN_KEY = (bytes([number]) * 32 for number in (1, 2, 3))
RING = Keyring({"2026b": KEY, "2026a": OLD_KEY})
SEEDS = Keyring({"2026b": bytes([4]) * 32})
HEADER = {"alg": "HS256", "typ": "at+jwt", "kid": "2026b"}
CLAIMS: dict[str, object] = {
    "iss": ISSUER,
    "aud": ISSUER,
    "exp": SECONDS + 600,
    "iat": SECONDS,
    "jti": "ab" * 16,
    "client_id": "0123456789abcdef",
    "sub": "client_7",
    "scope": "check",
    "role": "client",
}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(parts: str, key: bytes = KEY, digest: str = "sha256") -> str:
    return f"{parts}.{b64(hmac.new(key, parts.encode(), digest).digest())}"


def token(
    header: object = HEADER, payload: object = CLAIMS, key: bytes = KEY, digest: str = "sha256"
) -> str:
    """A signed token. Text and bytes are taken as they are, all else becomes JSON."""

    def part(value: object) -> str:
        text = value if isinstance(value, str | bytes) else json.dumps(value)
        return b64(text.encode() if isinstance(text, str) else text)

    return signed(f"{part(header)}.{part(payload)}", key, digest)


def headed(**fields: object) -> str:
    return token(header={**HEADER, **fields})


def claiming(**claims: object) -> str:
    return token(payload={**CLAIMS, **claims})


def written(name: str, value: str) -> str:
    """A token with this claim as it stands in JSON."""
    rest = json.dumps({key: value for key, value in CLAIMS.items() if key != name})
    return token(payload=f'{rest[:-1]}, "{name}": {value}}}')


def without(values: Mapping[str, object], name: str) -> dict[str, object]:
    return {key: value for key, value in values.items() if key != name}


def unsigned(algorithm: object) -> str:
    return headed(alg=algorithm).rpartition(".")[0] + "."


def last_character(text: str, flipped: int) -> str:
    """The last character with these bits flipped; some of the lowest do not count."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return alphabet[alphabet.index(text[-1]) ^ flipped]


GOOD = token()
HEAD, BODY, SIGNATURE = GOOD.split(".")
UNUSUAL = json.dumps({**CLAIMS, "more": "?~?~?~>>>!"}).encode()
NO_TEXTS: tuple[object, ...] = (None, 7, True, {}, [])
# What an attacker has of our keys for entitlements, in the forms that libraries have confused with
# a shared secret.
JWK = entitlements.jwks(SEEDS)["keys"][0]
RAW_PUBLIC_KEY = base64.urlsafe_b64decode(JWK["x"] + "=")
DER_PUBLIC_KEY = bytes.fromhex("302a300506032b6570032100") + RAW_PUBLIC_KEY
PEM_PUBLIC_KEY = (
    b"-----BEGIN PUBLIC KEY-----\n"
    + base64.b64encode(DER_PUBLIC_KEY)
    + b"\n-----END PUBLIC KEY-----\n"
)
ATTACKERS_JWK = {"kty": "oct", "k": b64(FOREIGN_KEY), "kid": "2026b", "alg": "HS256"}

ALGORITHMS = {
    **{f"alg {name}, unsigned": unsigned(name) for name in ("none", "None", "NONE", "nOnE", "")},
    **{f"alg {name}, signed": headed(alg=name) for name in ("none", "None", "NONE", "nOnE", "")},
    "alg none, no header else": b64(b'{"alg":"none"}') + f".{BODY}.",
    **{f"alg {name}": headed(alg=name) for name in ("RS256", "ES256", "EdDSA", "hs256", "HMAC")},
    "alg HS384": token(header={**HEADER, "alg": "HS384"}, digest="sha384"),
    "alg HS512": token(header={**HEADER, "alg": "HS512"}, digest="sha512"),
    "alg HS256, a signature of HS384": token(digest="sha384"),
    "alg null": headed(alg=None),
    "alg list": headed(alg=["HS256"]),
    "alg missing": token(header=without(HEADER, "alg")),
}
KEYS = {
    "public key, raw": token(key=RAW_PUBLIC_KEY),
    "public key, DER": token(key=DER_PUBLIC_KEY),
    "public key, PEM": token(key=PEM_PUBLIC_KEY),
    "public key, PEM without its last line break": token(key=PEM_PUBLIC_KEY.strip()),
    "public key, JWK": token(key=json.dumps(JWK).encode()),
    "public key, x of the JWK": token(key=JWK["x"].encode()),
    "foreign key": token(key=FOREIGN_KEY),
    "empty key": token(key=b""),
    "our key as text": token(key=KEY.hex().encode()),
    "our older key under the newer one's id": token(key=OLD_KEY),
    "kid missing": token(header=without(HEADER, "kid")),
    "kid unknown": headed(kid="2026c"),
    "kid unknown, signed with zeros": token(header={**HEADER, "kid": "2026c"}, key=bytes(32)),
    "kid unknown, signed with nothing": token(header={**HEADER, "kid": "2026c"}, key=b""),
    "kid path": token(header={**HEADER, "kid": "../../../../dev/null"}, key=b""),
    "kid SQL": headed(kid="2026b' OR '1'='1"),
    "kid int": headed(kid=2026),
    "kid null": headed(kid=None),
    "kid list": headed(kid=["2026b"]),
    "kid object": headed(kid={"2026b": 1}),
    "kid NUL": headed(kid="2026b\0"),
    "kid empty": headed(kid=""),
    "kid lone surrogate": headed(kid="\ud800"),
    "kid in capitals": headed(kid="2026B"),
}
HEADERS = {
    "jwk": token(header={**HEADER, "jwk": ATTACKERS_JWK}, key=FOREIGN_KEY),
    "jwk, signed with ours": headed(jwk=ATTACKERS_JWK),
    "jku": headed(jku="https://attacker.example/jwks.json"),
    "x5u": headed(x5u="https://attacker.example/chain.pem"),
    "x5c": headed(x5c=[base64.b64encode(FOREIGN_KEY).decode()]),
    "crit of nothing": headed(crit=[]),
    "crit unknown": headed(crit=["exp"], exp=1),
    "crit b64": headed(crit=["b64"], b64=True),
    "b64 true": headed(b64=True),
    "b64 false": headed(b64=False),
    "zip": headed(zip="DEF"),
    "cty": headed(cty="JWT"),
    "typ missing": token(header=without(HEADER, "typ")),
    **{
        f"typ {name}": headed(typ=name)
        for name in ("JWT", "jwt", "AT+JWT", "application/at+jwt", "entitlement+jwt", "", None)
    },
    "an entitlement": entitlements.sign(SEEDS, CLAIMS),
    "header list": token(header=[HEADER]),
    "header text": token(header='"HS256"'),
    "header null": token(header=None),
    "header in two": token(header='{"alg":"none",' + json.dumps(HEADER)[1:]),
    "header with NaN": headed(x=float("nan")),
    "header in UTF-16": token(header=json.dumps(HEADER).encode("utf-16")),
    "header of brackets": token(header="[" * 1_500),
    "header not UTF-8": token(header=b"\xff\xfe"),
}
TIMES = {
    **{f"exp {name}": written("exp", value) for name, value in {
        "text": f'"{SECONDS + 600}"', "float": f"{SECONDS + 600}.0", "true": "true",
        "null": "null", "list": f"[{SECONDS + 600}]", "1e400": "1e400", "1e3": "1.7e9",
        "10**30": str(10**30), "3,000 digits": "9" * 2_500, "NaN": "NaN", "Infinity": "Infinity",
        "negative": "-1", "0": "0",
    }.items()},
    **{f"iat {name}": written("iat", value) for name, value in {
        "text": f'"{SECONDS}"', "float": f"{SECONDS}.0", "false": "false", "null": "null",
        "-1e400": "-1e400", "negative": "-1", "0": "0",
    }.items()},
    "exp past": claiming(exp=SECONDS - 1, iat=SECONDS - 601),
    "exp now": claiming(exp=SECONDS, iat=SECONDS - 600),
    "exp before iat": claiming(exp=SECONDS + 10, iat=SECONDS + 20),
    "exp at iat": claiming(exp=SECONDS + 10, iat=SECONDS + 10),
    "iat in 61 s": claiming(iat=SECONDS + 61, exp=SECONDS + 61 + 600),
    "iat far ahead": claiming(iat=10**30, exp=10**30 + 600),
    "lives 601 s": claiming(exp=SECONDS + 601),
    "lives a year": claiming(exp=SECONDS + 31_536_000),
}  # fmt: skip
WORDS = {
    **{f"{name} missing": token(payload=without(CLAIMS, name)) for name in CLAIMS},
    **{
        f"{name} {value!r}": claiming(**{name: value})
        for name in ("iss", "aud", "jti", "client_id", "sub", "scope", "role")
        for value in (*NO_TEXTS, [CLAIMS[name]])
    },
    **{
        f"{name} {what}": claiming(**{name: value})
        for name in ("jti", "client_id", "sub", "scope", "role")
        for what, value in {
            "NUL": f"{CLAIMS[name]}\0",
            "line break": f"{CLAIMS[name]}\n",
            "lone surrogate": "\ud800",
            "right to left": "\u202e" + str(CLAIMS[name]),
            "a blank before": f" {CLAIMS[name]}",
            "long": str(CLAIMS[name]) + "a" * 128,
        }.items()
    },
    **{
        f"{name} {other}": claiming(**{name: other})
        for name in ("iss", "aud")
        for other in ("", ISSUER + "/", ISSUER.upper(), "https://tollgate.example/test")
    },
    "aud of the app": claiming(aud="app_0199c1"),
    "aud list of two": claiming(aud=[ISSUER, "https://other.example"]),
    **{f"role {name!r}": claiming(role=name) for name in ("", "Admin", "root", "client admin")},
    **{f"{name} empty": claiming(**{name: ""}) for name in ("jti", "client_id", "sub")},
    "client_id in capitals": claiming(client_id="0123456789ABCDEF"),
    "client_id of 15": claiming(client_id="0123456789abcde"),
    "sub path": claiming(sub="../client_8"),
    "scope of two blanks": claiming(scope="check  admin"),
    "scope tab": claiming(scope="check\tadmin"),
    "scope of 17": claiming(scope=" ".join(map(str, range(17)))),
    "exp twice": token(payload=json.dumps(CLAIMS)[:-1] + f', "exp": {SECONDS + 600}}}'),
    "role twice": token(payload='{"role": "admin",' + json.dumps(CLAIMS)[1:]),
    "a name twice further in": token(payload=json.dumps(CLAIMS)[:-1] + ', "x": {"a":1,"a":2}}'),
}
SHAPES = {
    **{
        f"payload {name}": token(payload=payload)
        for name, payload in {
            "list": [CLAIMS], "null": None, "number": 7, "text": '"sub"', "nothing": "",
            "text of an object": json.dumps(json.dumps(CLAIMS)), "two objects": "{}{}",
            "BOM": "\ufeff" + json.dumps(CLAIMS), "UTF-16": json.dumps(CLAIMS).encode("utf-16"),
            "not UTF-8": b'{"sub": "\xff"}', "brackets": "[" * 2_500,
            "100,000 brackets": "[" * 10**5, "braces": '{"a":' * 500, "NUL": "\0",
        }.items()
    },
    "100 kB": claiming(more="x" * 100_000),
    "a little long": claiming(more="x" * 2_800),
    "100,000 dots": "." * 100_000,
    "nothing": "",
    "one part": HEAD,
    "two parts": f"{HEAD}.{BODY}",
    "two parts and a dot": f"{HEAD}.{BODY}.",
    "four parts": f"{GOOD}.{SIGNATURE}",
    "four parts, all signed": signed(GOOD),
    "five parts": f"{HEAD}..{BODY}.{SIGNATURE}.{SIGNATURE}",
    "first part empty": f".{BODY}.{SIGNATURE}",
    "second part empty": f"{HEAD}..{SIGNATURE}",
    "only dots": "..",
    "JSON serialization": json.dumps(
        {"protected": HEAD, "payload": BODY, "signature": SIGNATURE}
    ),
    **{f"{what!r} behind": GOOD + what for what in (".", " ", "\n", "\r\n", "=", "==", "\0", "A")},
    **{f"{what!r} before": what + GOOD for what in (".", " ", "\n", "\ufeff", "Bearer ")},
    **{f"{what!r} inside": GOOD[:9] + what + GOOD[9:] for what in " \n=+/*é\u0661\ud800\0"},
    "padded parts": ".".join(part + "=" * (-len(part) % 4) for part in GOOD.split(".")),
    **{
        f"signed, with {what}": signed(f"{HEAD}.{body}")
        for what, body in {
            "padding": base64.urlsafe_b64encode(UNUSUAL).decode(),
            "standard base64": base64.b64encode(UNUSUAL).rstrip(b"=").decode(),
            "a blank": f"{BODY[:8]} {BODY[8:]}",
            "a line break": f"{BODY}\n",
            "a stray character": f"{BODY[:8]}!{BODY[8:]}",
            "spare bits": b64(UNUSUAL)[:-1] + last_character(b64(UNUSUAL), 1),
            "a character too many": b64(UNUSUAL + b" ") + "AA",
        }.items()
    },
    "fullwidth": GOOD.replace("e", "\uff45"),
    "signature cut": GOOD[:-1],
    "signature cut by a byte": f"{HEAD}.{BODY}.{SIGNATURE[:-2]}",
    "signature of half": f"{HEAD}.{BODY}.{SIGNATURE[:22]}",
    "signature longer": f"{HEAD}.{BODY}.{b64(base64.urlsafe_b64decode(SIGNATURE + '=') + b'x')}",
    "signature twice": GOOD + SIGNATURE,
    "signature of zeros": f"{HEAD}.{BODY}.{b64(bytes(32))}",
    "signature of another token": f"{HEAD}.{BODY}.{claiming(sub='x').split('.')[2]}",
    "payload of another token": f"{HEAD}.{claiming(role='admin').split('.')[1]}.{SIGNATURE}",
    "plain hash": f"{HEAD}.{BODY}.{b64(hashlib.sha256(KEY + GOOD.encode()).digest())}",
    **{f"spare bits {bits}": GOOD[:-1] + last_character(GOOD, bits) for bits in (1, 2, 3)},
    "last bit that counts": GOOD[:-1] + last_character(GOOD, 4),
}  # fmt: skip
FORGERIES = {**ALGORITHMS, **KEYS, **HEADERS, **TIMES, **WORDS, **SHAPES}
