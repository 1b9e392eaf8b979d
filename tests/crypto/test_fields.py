"""A sealed field opens in its place and with its key, and in no other way."""

import hmac
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tollgate.crypto import fields
from tollgate.crypto.fields import (
    FieldCipher,
    IndexedColumn,
    Place,
    key_id_of,
    normalize_email,
)
from tollgate.domain.errors import DecryptionFailed, InternalError
from tollgate.domain.keyring import Keyring

OLD, NEW = b"o" * 32, b"n" * 32
EMAIL = b"client@shop.example"
PLACE = Place("clients", "email", "cli_1", "app_1")
COLUMN = IndexedColumn("clients", "email", "app_1")


def cipher_of(keys: dict[str, bytes], seed: int = 1) -> FieldCipher:
    return FieldCipher(Keyring(keys), Random(seed).randbytes)


@pytest.fixture
def cipher() -> FieldCipher:
    return cipher_of({"2026a": OLD})


def hkdf(key: bytes, purpose: bytes) -> bytes:
    """The first block of RFC 5869 by the standard library."""
    extracted = hmac.digest(bytes(32), key, "sha256")
    return hmac.digest(extracted, purpose + b"\x01", "sha256")


def joined(*parts: bytes) -> bytes:
    return b"".join(bytes((0, 0, 0, len(part))) + part for part in parts)


def refuses(cipher: FieldCipher, place: Place, sealed: bytes) -> bool:
    try:
        cipher.decrypt(place, sealed)
    except DecryptionFailed:
        return True
    return False


def test_what_was_sealed_opens(cipher: FieldCipher) -> None:
    random = Random(2)
    for length in (0, 1, 15, 16, 17, 1000, 100_000):
        plaintext = random.randbytes(length)
        sealed = cipher.encrypt(PLACE, plaintext)
        assert cipher.decrypt(PLACE, sealed) == plaintext
        assert key_id_of(sealed) == "2026a"


def test_a_place_may_have_any_name(cipher: FieldCipher) -> None:
    for name in ("", "é", "\x00", "\ud800", "x" * 300):
        place = Place(name, name, name, name)
        assert cipher.decrypt(place, cipher.encrypt(place, EMAIL)) == EMAIL


def test_the_stored_form_stays_what_it_is() -> None:
    """Rows outlive releases: this is made by hand, and must open for ever."""
    nonce = b"\x07" * 12
    bound = joined(b"1", b"2026a", b"clients", b"email", b"cli_1", b"app_1")
    key = hkdf(OLD, b"tollgate fields: encryption 1")
    sealed = b"\x01\x05" + b"2026a" + nonce + AESGCM(key).encrypt(nonce, EMAIL, bound)
    cipher = FieldCipher(Keyring({"2026a": OLD}), lambda count: b"\x07" * count)
    assert cipher.encrypt(PLACE, EMAIL) == sealed
    assert cipher.decrypt(PLACE, sealed) == EMAIL


def test_two_encryptions_of_one_value_differ(cipher: FieldCipher) -> None:
    sealed = [cipher.encrypt(PLACE, EMAIL) for _ in range(1000)]
    assert len({each[7:19] for each in sealed}) == len(sealed)
    assert len({each[19:] for each in sealed}) == len(sealed)
    assert not any(EMAIL in each for each in sealed)


def test_every_flipped_bit_is_refused() -> None:
    # the id of the other key is one bit away from that of the first
    cipher = cipher_of({"2026a": OLD, "2026c": NEW, "2026b": OLD})
    sealed = cipher.encrypt(PLACE, EMAIL)
    for at in range(len(sealed)):
        for bit in range(8):
            flipped = sealed[:at] + bytes((sealed[at] ^ 1 << bit,)) + sealed[at + 1 :]
            assert refuses(cipher, PLACE, flipped), (at, bit)


def test_every_shorter_or_longer_value_is_refused(cipher: FieldCipher) -> None:
    for plaintext in (EMAIL, b""):
        sealed = cipher.encrypt(PLACE, plaintext)
        assert all(refuses(cipher, PLACE, sealed[:end]) for end in range(len(sealed)))
        assert all(refuses(cipher, PLACE, sealed[start:]) for start in range(1, len(sealed)))
        assert refuses(cipher, PLACE, sealed + b"\x00")


def test_chance_is_refused(cipher: FieldCipher) -> None:
    random = Random(3)
    for _ in range(2000):
        noise = random.randbytes(random.randrange(80))
        assert refuses(cipher, PLACE, noise)
        assert refuses(cipher, PLACE, b"\x01\x052026a" + noise)


@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(PLACE, table="payments"),
        replace(PLACE, column="phone"),
        replace(PLACE, row_id="cli_2"),
        replace(PLACE, app_id="app_2"),
    ],
)
def test_a_value_that_was_moved_is_refused(cipher: FieldCipher, elsewhere: Place) -> None:
    assert refuses(cipher, elsewhere, cipher.encrypt(PLACE, EMAIL))
    assert refuses(cipher, PLACE, cipher.encrypt(elsewhere, EMAIL))


def test_places_that_read_alike_are_not_the_same(cipher: FieldCipher) -> None:
    alike = [
        Place("ab", "c", "d", "e"),
        Place("a", "bc", "d", "e"),
        Place("a", "b", "cd", "e"),
        Place("a", "b", "c", "de"),
        Place("", "abcd", "", "e"),
        Place("abcde", "", "", ""),
    ]
    for place in alike:
        sealed = cipher.encrypt(place, EMAIL)
        assert [each for each in alike if not refuses(cipher, each, sealed)] == [place]


def test_another_key_under_the_same_id_is_refused(cipher: FieldCipher) -> None:
    assert refuses(cipher_of({"2026a": NEW}), PLACE, cipher.encrypt(PLACE, EMAIL))


def test_the_current_key_seals_and_the_old_one_still_opens(cipher: FieldCipher) -> None:
    rotated = cipher_of({"2026b": NEW, "2026a": OLD})
    sealed_before = cipher.encrypt(PLACE, EMAIL)
    assert rotated.decrypt(PLACE, sealed_before) == EMAIL
    sealed_anew = rotated.encrypt(PLACE, EMAIL)
    assert (key_id_of(sealed_before), key_id_of(sealed_anew)) == ("2026a", "2026b")
    assert cipher_of({"2026b": NEW}).decrypt(PLACE, sealed_anew) == EMAIL


def test_a_key_that_left_the_ring_opens_nothing(cipher: FieldCipher) -> None:
    sealed = cipher.encrypt(PLACE, EMAIL)
    assert refuses(cipher_of({"2026b": NEW}), PLACE, sealed)
    assert refuses(cipher_of({"2026b": OLD}), PLACE, sealed)


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x02\x052026a" + bytes(40), bytes(64)])
def test_what_was_never_sealed_has_no_key(sealed: bytes) -> None:
    with pytest.raises(DecryptionFailed):
        key_id_of(sealed)


@pytest.mark.parametrize("key_id", [b"\xff", b"a\x80"])
def test_the_id_of_a_key_is_ascii(key_id: bytes) -> None:
    with pytest.raises(DecryptionFailed):
        key_id_of(bytes((1, len(key_id))) + key_id + bytes(28))


def test_a_refusal_tells_nothing(cipher: FieldCipher) -> None:
    sealed = cipher.encrypt(PLACE, EMAIL)
    with pytest.raises(DecryptionFailed) as refused:
        cipher.decrypt(replace(PLACE, row_id="cli_2"), sealed)
    assert isinstance(refused.value, InternalError)
    assert refused.value.detail == DecryptionFailed.__doc__
    assert (refused.value.errors, refused.value.__cause__) == ((), None)
    assert refused.value.__suppress_context__


def test_a_printed_cipher_shows_no_key(cipher: FieldCipher) -> None:
    assert "o" * 32 not in repr(cipher)


def test_the_index_stays_what_it_is(cipher: FieldCipher) -> None:
    hashed = joined(b"clients", b"email", b"app_1", EMAIL)
    digest = hmac.digest(hkdf(OLD, b"tollgate fields: blind index 1"), hashed, "sha256")
    assert cipher.blind_index(COLUMN, EMAIL.decode()) == digest[:16]


SAME = (
    ("a@shop.example", " A@Shop.EXAMPLE\n"),
    ("josé@shop.example", "JOSE\u0301@shop.example"),
    ("straße@shop.example", "STRASSE@shop.example"),
    ("\u1fb4@shop.example", "\u0391\u0345\u0301@shop.example"),
)


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_of_one_email_have_one_index(cipher: FieldCipher, one: str, other: str) -> None:
    assert one != other
    assert cipher.blind_index(COLUMN, one) == cipher.blind_index(COLUMN, other)
    assert normalize_email(normalize_email(other)) == normalize_email(one)


def test_an_email_is_stored_in_its_composed_form() -> None:
    assert normalize_email(" JOSE\u0301@Shop.example ") == "jos\u00e9@shop.example"


def test_different_emails_have_different_indexes(cipher: FieldCipher) -> None:
    emails = [f"client-{number}@shop.example" for number in range(500)]
    more = ["", "client-1", "client.1@shop.example", "client-1+x@shop.example", "\ud800"]
    assert len({cipher.blind_index(COLUMN, email) for email in emails + more}) == 505


@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(COLUMN, table="payments"),
        replace(COLUMN, column="phone"),
        replace(COLUMN, app_id="app_2"),
    ],
)
def test_columns_and_apps_do_not_share_an_index(
    cipher: FieldCipher, elsewhere: IndexedColumn
) -> None:
    assert cipher.blind_index(COLUMN, "a@b") != cipher.blind_index(elsewhere, "a@b")


def test_columns_that_read_alike_do_not_share_an_index(cipher: FieldCipher) -> None:
    indexes = {
        cipher.blind_index(IndexedColumn("ab", "c", "d"), "e"),
        cipher.blind_index(IndexedColumn("a", "bc", "d"), "e"),
        cipher.blind_index(IndexedColumn("a", "b", "cd"), "e"),
        cipher.blind_index(IndexedColumn("a", "b", "c"), "de"),
    }
    assert len(indexes) == 4


def test_an_email_is_looked_up_with_every_key_the_current_one_first(cipher: FieldCipher) -> None:
    rotated = cipher_of({"2026b": NEW, "2026a": OLD})
    old, new = cipher.blind_index(COLUMN, "a@b"), rotated.blind_index(COLUMN, "a@b")
    assert old != new
    assert rotated.blind_indexes(COLUMN, "a@b") == [new, old]
    assert cipher.blind_indexes(COLUMN, "a@b") == [old]


def test_importing_the_module_takes_no_cryptography() -> None:
    code = "import sys; import tollgate.crypto.fields; print('cryptography' in sys.modules)"
    shared = Path(fields.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(shared)},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout == "False\n"
