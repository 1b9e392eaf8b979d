"""Phone numbers, ids and times are not taken for card numbers, nor do they hide any."""

from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest

from tests.domain.card_values import MASKED_VISA, VISA, card_of, with_check_digit
from tollgate.domain.card_numbers import has_card_number, mask_card_numbers
from tollgate.domain.ids import new_id

NOW = datetime(2026, 1, 31, 9, tzinfo=UTC)

PHONES = ("+254700000001", "+4242424242422", "+25470000000001", "+378282246310005")


@pytest.mark.parametrize("phone", PHONES)
def test_a_phone_number_is_none(phone: str) -> None:
    assert not has_card_number(phone)
    assert not has_card_number(f"call {phone}, or mail")


def test_phone_numbers_would_be_card_numbers_without_the_plus() -> None:
    assert has_card_number("378282246310005")
    for groups in ("+3782 822463 10005", "+37-82822463-10005"):
        assert has_card_number(groups.removeprefix("+"))
        assert not has_card_number(groups)
    # a country's code, then what would be a card number by itself
    assert not has_card_number("+1 4222222222222")
    assert has_card_number("378282246310005+")
    assert has_card_number("+ 378282246310005")


def test_a_phone_number_ends_where_no_phone_number_goes_on() -> None:
    assert mask_card_numbers(f"+{VISA}") == f"+{MASKED_VISA}"
    assert mask_card_numbers(f"a=my+{VISA}") == f"a=my+{MASKED_VISA}"
    assert mask_card_numbers(f"+254 700 000 001 {VISA}") == f"+254 700 000 001 {MASKED_VISA}"


def test_our_ids_are_none() -> None:
    random = Random(7)
    for number in range(20_000):
        made = new_id("pay", NOW + timedelta(minutes=number), random.randbytes)
        assert not has_card_number(made)
        assert not has_card_number(f"/payments/{made}-{made}")


def test_not_even_ids_of_many_decimal_digits() -> None:
    random = Random(8)

    def decimal(count: int) -> bytes:
        digits = "".join(random.choice("0123456789" * 3 + "af") for _ in range(2 * count))
        return bytes.fromhex(digits)

    for number in range(20_000):
        made = new_id("evt", NOW + timedelta(days=number), decimal)
        assert mask_card_numbers(f"{made} {made}") == f"{made} {made}"


def test_uuids_are_none() -> None:
    """Some PSPs name payments so; many begin with 16 digits in groups."""
    letters = "abcdef"
    for number in range(2000):
        random = Random(number)
        last = random.choice(letters) + f"{random.randrange(10**11):011}"
        uuid = f"{card_of(random, 16)}8{last}".ljust(32, "0")
        text = str(UUID(uuid))
        assert not has_card_number(f"order {text}, {text.upper()} 12")


def test_a_card_number_beside_a_uuid_is_found() -> None:
    uuid = "42424242-4242-4242-8242-a42424242424"
    for text in (f"{uuid} {VISA}", f"{VISA} {uuid}", f"{uuid}-{VISA}", f"{uuid[:-1]}-{VISA}"):
        assert has_card_number(text)
    number = with_check_digit("4242424242424242")
    longer_at_its_start = f"{number[:9]}-{number[9:13]}-{number[13:]}-8242-a42424242424"
    for text in (f"{uuid}4", longer_at_its_start, "42424242-4242-4242"):
        assert has_card_number(text)
    assert has_card_number("42424242-4242-4242-4242-424242424242")


def test_times_are_none() -> None:
    random = Random(9)
    for _ in range(5000):
        instant = NOW + timedelta(milliseconds=random.randrange(10**11))
        milliseconds = int(instant.timestamp() * 1000)
        later = instant + timedelta(days=30)
        for text in (
            f"{milliseconds} {milliseconds * 1000} {milliseconds * 1_000_000}",
            instant.isoformat(),
            f"{instant:%Y%m%d%H%M%S} {instant:%Y%m%d}",
            f"{instant:%Y-%m-%d} {later:%Y-%m-%d}",
        ):
            assert not has_card_number(text), text
