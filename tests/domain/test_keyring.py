"""The keys of a setting: read in order, refused without a word of them."""

import base64
from random import Random

import pytest

from tollgate.domain.keyring import KEY_BYTES, Keyring

OLD = bytes(range(32))
NEW = b"\xfb\xff" * 16


def encoded(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).decode().rstrip("=")


def test_the_first_key_is_the_current_one() -> None:
    ring = Keyring.parse(f"2026b:{encoded(NEW)},2026a:{encoded(OLD)}")
    assert list(ring.keys.items()) == [("2026b", NEW), ("2026a", OLD)]
    assert (ring.current_id, ring.current) == ("2026b", NEW)


def test_one_key_is_a_ring() -> None:
    ring = Keyring.parse(f"a:{encoded(OLD)}")
    assert (ring.current_id, ring.current, dict(ring.keys)) == ("a", OLD, {"a": OLD})


def test_the_alphabet_is_the_one_of_urls() -> None:
    assert set(encoded(NEW)) >= {"-", "_"}
    assert Keyring.parse(f"a:{encoded(NEW)}").current == NEW


def test_any_key_is_read_with_its_padding_and_without() -> None:
    random = Random(21)
    for _ in range(200):
        key = random.randbytes(KEY_BYTES)
        assert Keyring.parse(f"a:{encoded(key)}").current == key
        assert Keyring.parse(f"a:{encoded(key)}=").current == key


def test_blanks_and_newlines_between_keys_do_not_count() -> None:
    ring = Keyring.parse(f" b:{encoded(NEW)} ,\n a:{encoded(OLD)}\n")
    assert dict(ring.keys) == {"b": NEW, "a": OLD}


@pytest.mark.parametrize("key_id", ["a", "2026-11_b", "x" * 16])
def test_what_an_id_may_be(key_id: str) -> None:
    assert Keyring.parse(f"{key_id}:{encoded(OLD)}").current_id == key_id


@pytest.mark.parametrize("key_id", ["", "x" * 17, "a b", "a ", "é", "\uff11", "a.b", "a\nb"])
def test_what_an_id_may_not_be(key_id: str) -> None:
    with pytest.raises(ValueError, match="a key's id is"):
        Keyring.parse(f"{key_id}:{encoded(OLD)}")


def test_an_id_stands_for_one_key() -> None:
    with pytest.raises(ValueError, match="each id once"):
        Keyring.parse(f"a:{encoded(OLD)},a:{encoded(NEW)}")
    with pytest.raises(ValueError, match="each id once"):
        Keyring.parse(f"a:{encoded(OLD)},b:{encoded(NEW)},a:{encoded(OLD)}")


@pytest.mark.parametrize("text", ["", " ", ",", encoded(OLD)])
def test_a_text_without_an_id_is_no_ring(text: str) -> None:
    with pytest.raises(ValueError, match="a key's id is"):
        Keyring.parse(text)


def test_a_comma_too_many_is_refused() -> None:
    with pytest.raises(ValueError, match="a key's id is"):
        Keyring.parse(f"a:{encoded(OLD)},")


@pytest.mark.parametrize("length", [0, 1, 16, 31, 33, 64])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="a key is 32 bytes"):
        Keyring.parse(f"a:{encoded(bytes(length))}")


NOT_BASE64 = (
    *(encoded(OLD)[:20] + "!" + encoded(OLD)[21:], encoded(OLD)[:20] + " " + encoded(OLD)[20:]),
    *(" " + encoded(OLD), encoded(OLD)[:-1] + "é", "=" + encoded(OLD), encoded(OLD)[:-2]),
    *(encoded(OLD) + "====", OLD.hex(), f"b:{encoded(OLD)}"),
)


@pytest.mark.parametrize("key", NOT_BASE64)
def test_a_key_that_is_no_base64_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="a key is 32 bytes"):
        Keyring.parse(f"a:{key}")


def test_what_is_printed_shows_no_key() -> None:
    ring = Keyring.parse(f"b:{encoded(NEW)},a:{encoded(OLD)}")
    for printed in (repr(ring), str(ring), f"{ring}"):
        assert printed == "Keyring()"


@pytest.mark.parametrize("text", [f"a:{encoded(OLD)}!", f"a b:{encoded(OLD)}", f"{encoded(OLD)}"])
def test_a_refusal_shows_no_key(text: str) -> None:
    with pytest.raises(ValueError, match="a key") as refused:
        Keyring.parse(text)
    assert encoded(OLD)[:8] not in str(refused.value)
    # nor does an error that it arose from
    assert refused.value.__context__ is None
