"""Access tokens: what was minted is believed for ten minutes, and nothing else is."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import jwt
import pytest
from jwt.algorithms import HMACAlgorithm

from tests.crypto.forgeries import (
    BODY,
    CLAIMS,
    FORGERIES,
    GOOD,
    HEAD,
    HEADER,
    ISSUER,
    KEY,
    NOW,
    OLD_KEY,
    RING,
    SIGNATURE,
    claiming,
    headed,
    token,
)
from tollgate.crypto.access_tokens import (
    LIFETIME_SECONDS,
    MAX_LENGTH,
    AccessToken,
    TokenRefused,
    mint,
    verify,
)
from tollgate.domain.keyring import Keyring
from tollgate.domain.principal import Role

CLIENT = AccessToken("0123456789abcdef", Role.CLIENT, "client_7", frozenset({"check"}))
APP = AccessToken("zzzzzzzzzzzzzzzz", Role.APP, "app_0199c1", frozenset({"b:read", "a.*", "!~"}))
ADMIN = AccessToken("0000000000000000", Role.ADMIN, "admin")
LONGEST = AccessToken(
    "0" * 16, Role.CLIENT, "~" * 128, frozenset(f"{number:~>64}" for number in range(16))
)
TOKENS = {"client": CLIENT, "app": APP, "admin": ADMIN, "longest": LONGEST}
TICK = timedelta(microseconds=1)


def minted(made: AccessToken, ring: Keyring = RING, now: datetime = NOW) -> str:
    return mint(ring, made, issuer=ISSUER, now=now, random_bytes=Random(7).randbytes)


def is_believed(text: str, ring: Keyring = RING, now: datetime = NOW) -> bool:
    try:
        verify(ring, text, issuer=ISSUER, now=now)
    except TokenRefused:
        return False
    return True


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forgery_is_refused_without_a_word(forgery: str) -> None:
    with pytest.raises(TokenRefused) as refused:
        verify(RING, FORGERIES[forgery], issuer=ISSUER, now=NOW)
    assert refused.value.args == ()
    assert refused.value.__cause__ is refused.value.__context__ is None


def test_what_the_forgeries_are_made_from_is_believed() -> None:
    assert verify(RING, GOOD, issuer=ISSUER, now=NOW) == CLIENT


def test_a_token_with_any_character_changed_is_refused() -> None:
    random = Random(11)
    characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=é"
    for at, right in enumerate(GOOD):
        wrong = random.choice(characters.replace(right, ""))
        assert not is_believed(GOOD[:at] + wrong + GOOD[at + 1 :]), at
        assert not is_believed(GOOD[:at] + GOOD[at + 1 :]), at
        assert not is_believed(GOOD[:at] + wrong + GOOD[at:]), at


@pytest.mark.parametrize("name", TOKENS)
def test_what_was_minted_is_believed(name: str) -> None:
    text = minted(TOKENS[name])
    assert verify(RING, text, issuer=ISSUER, now=NOW) == TOKENS[name]
    assert len(text) <= MAX_LENGTH


@pytest.mark.parametrize("name", TOKENS)
def test_another_implementation_reads_the_same(name: str) -> None:
    made, now = TOKENS[name], datetime.now(UTC)  # its clock is its own
    text = minted(made, now=now)
    read = jwt.decode_complete(
        text,
        KEY,
        algorithms=["HS256"],
        audience=ISSUER,
        issuer=ISSUER,
        options={"require": list(CLAIMS), "strict_aud": True},
    )
    assert read["header"] == HEADER
    assert read["payload"] == {
        "iss": ISSUER,
        "aud": ISSUER,
        "exp": int(now.timestamp()) + LIFETIME_SECONDS,
        "iat": int(now.timestamp()),
        "jti": Random(7).randbytes(16).hex(),
        "client_id": made.key_id,
        "sub": made.subject,
        "scope": " ".join(sorted(made.scopes)),
        "role": made.role.value,
    }


def test_every_token_has_an_id_of_its_own() -> None:
    random = Random(7)
    texts = {
        mint(RING, ADMIN, issuer=ISSUER, now=NOW, random_bytes=random.randbytes) for _ in range(9)
    }
    assert len(texts) == 9


@pytest.mark.parametrize(
    ("seconds", "believed"), [(-60, True), (-61, False), (0, True), (599, True), (600, False)]
)
def test_a_token_is_believed_for_ten_minutes(seconds: int, believed: bool) -> None:
    text = minted(CLIENT)
    assert is_believed(text, now=NOW + timedelta(seconds=seconds)) is believed


def test_the_end_is_exclusive_to_the_tick() -> None:
    text, end = minted(CLIENT), NOW + timedelta(seconds=LIFETIME_SECONDS)
    assert is_believed(text, now=end - TICK)
    assert not is_believed(text, now=end)
    assert not is_believed(text, now=NOW - timedelta(seconds=60) - TICK)


def test_a_token_minted_within_a_second_is_believed_at_once_and_not_longer() -> None:
    now = NOW + timedelta(seconds=0.999999)
    text = minted(CLIENT, now=now)
    assert is_believed(text, now=now)
    assert not is_believed(text, now=now + timedelta(seconds=LIFETIME_SECONDS))


def test_a_key_may_be_replaced() -> None:
    """Known behind, then in front, then alone: nobody's token is refused before its time."""
    old, new = {"2026a": OLD_KEY}, {"2026b": KEY}
    rings = [Keyring(old), Keyring(old | new), Keyring(new | old), Keyring(new)]
    texts = [minted(CLIENT, ring) for ring in rings]
    assert [[is_believed(text, ring) for ring in rings] for text in texts] == [
        [True, True, True, False],
        [True, True, True, False],
        [False, True, True, True],
        [False, True, True, True],
    ]


def test_another_deployment_with_the_same_keys_refuses() -> None:
    with pytest.raises(TokenRefused):
        verify(RING, GOOD, issuer="https://tollgate.example/test", now=NOW)


def test_a_claim_that_is_not_known_is_let_be() -> None:
    assert verify(RING, claiming(more={"any": [1]}), issuer=ISSUER, now=NOW) == CLIENT


def test_a_token_is_up_to_4_kib() -> None:
    headers = [json.dumps(HEADER) + " " * count for count in range(4)]  # to meet every length
    payloads = [{**CLAIMS, "more": "x" * count} for count in range(2_720, 2_740)]
    texts = [token(header, payload) for header in headers for payload in payloads]
    assert {4_095, 4_096, 4_097} <= set(map(len, texts))
    assert all(is_believed(text) is (len(text) <= 4_096) for text in texts)


@pytest.mark.parametrize(
    ("claims", "believed"),
    [
        ({"iat": 0, "exp": 1}, True),
        ({"iat": 0, "exp": True}, False),
        ({"iat": False, "exp": 1}, False),
    ],
)
def test_true_is_no_number_even_where_one_would_be_right(
    claims: dict[str, object], believed: bool
) -> None:
    assert is_believed(claiming(**claims), now=datetime.fromtimestamp(0.5, UTC)) is believed


def test_an_unknown_key_costs_what_a_wrong_signature_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    checked = []
    verify_signature = HMACAlgorithm.verify

    def counted(self: HMACAlgorithm, msg: bytes, key: bytes, sig: bytes) -> bool:
        checked.append(len(key))
        return verify_signature(self, msg, key, sig)

    monkeypatch.setattr(HMACAlgorithm, "verify", counted)
    for text in (headed(kid="2026c"), token(key=b"another")):
        assert not is_believed(text)
    assert checked == [32, 32]


def test_nothing_is_read_of_a_payload_before_its_signature_is_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = []
    loads = json.loads

    def recorded(text: str | bytes, **options: Any) -> object:
        read.append(text if isinstance(text, str) else text.decode())
        return loads(text, **options)

    monkeypatch.setattr(json, "loads", recorded)
    assert not is_believed(f"{HEAD}.{BODY}.{SIGNATURE[::-1]}")
    assert not is_believed(headed(kid="2026c"))
    assert read
    assert not [text for text in read if "client_7" in text]
    assert is_believed(GOOD)
    assert [text for text in read if "client_7" in text]


@pytest.mark.parametrize(
    "fields",
    [
        {"key_id": "0123456789ABCDEF"},
        {"key_id": "0123456789abcde"},
        {"key_id": "0123456789abcdef\n"},
        {"subject": ""},
        {"subject": "x" * 129},
        {"subject": "a\0"},
        {"subject": "\ud800"},
        {"scopes": frozenset({""})},
        {"scopes": frozenset({"a b"})},
        {"scopes": frozenset({'a"b'})},
        {"scopes": frozenset({"a\\b"})},
        {"scopes": frozenset({"x" * 65})},
        {"scopes": frozenset(map(str, range(17)))},
    ],
)
def test_what_would_be_refused_cannot_be_minted(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"API key|subject|scopes"):
        replace(CLIENT, **fields)


def test_the_module_is_light_until_there_is_a_token() -> None:
    code = (
        f"import sys; sys.path[:0] = {sys.path!r}\n"
        "from tollgate.crypto import access_tokens, entitlements\n"
        "from tollgate.domain import keyring\n"
        "ring = keyring.Keyring({'a': bytes(32)})\n"
        "import datetime\n"
        "try:\n"
        "    access_tokens.verify(ring, 'x', issuer='', now=datetime.datetime.now())\n"
        "except access_tokens.TokenRefused:\n"
        "    print({'jwt', 'cryptography'} & set(sys.modules))\n"
        "entitlements.sign(ring, {})\n"
        "print('jwt' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.splitlines() == ["set()", "False"]
