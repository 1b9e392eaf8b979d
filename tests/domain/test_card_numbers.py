"""Card numbers are found wherever they stand, and are masked."""

import json
import re
from random import Random
from urllib.parse import quote, urlencode

import pytest

from tests.domain.card_values import MASKED_VISA, VISA, card_of, passes_luhn, with_check_digit
from tollgate.domain.card_numbers import has_card_number, mask_card_numbers

# numbers that PSPs publish for tests, one for each brand and length
CARDS = (
    *(VISA, "4222222222222", "4000000760000002", "5555555555554444", "2223003122003222"),
    *("378282246310005", "371449635398431", "30569309025904", "3566002020360505"),
    *("6011111111111117", "6200000000000005", "6759649826438453", "6205500000000000004"),
)


def other_check_digit(number: str) -> str:
    return number[:-1] + str((int(number[-1]) + 1) % 10)


def stars(number: str) -> str:
    return "*" * (len(number) - 4) + number[-4:]


@pytest.mark.parametrize("number", CARDS)
def test_the_numbers_of_every_brand_are_found(number: str) -> None:
    assert has_card_number(number)
    assert mask_card_numbers(number) == stars(number)
    assert not has_card_number(other_check_digit(number))
    assert mask_card_numbers(other_check_digit(number)) == other_check_digit(number)


@pytest.mark.parametrize("length", range(13, 20))
def test_any_number_of_a_cards_length_is_found(length: int) -> None:
    random = Random(length)
    for _ in range(200):
        number = card_of(random, length)
        assert mask_card_numbers(f"<{number}>") == f"<{stars(number)}>"
        assert not has_card_number(other_check_digit(number))


def test_one_wrong_digit_and_most_swapped_ones_make_it_no_card_number() -> None:
    random = Random(4)
    for _ in range(200):
        number = card_of(random, 16)
        at = random.randrange(2, 16)
        wrong = str((int(number[at]) + random.randrange(1, 10)) % 10)
        assert not has_card_number(number[:at] + wrong + number[at + 1 :])


@pytest.mark.parametrize("length", [12, 20, 25, 32])
def test_a_number_of_another_length_is_none(length: int) -> None:
    random = Random(length)
    for _ in range(200):
        assert not has_card_number(card_of(random, length))


def test_a_longer_run_of_digits_hides_no_card_number() -> None:
    for number in (VISA + "123456789", "123456789" + VISA, "0" * 4 + VISA):
        assert not has_card_number(number)


@pytest.mark.parametrize("first", ["0", "1", "7", "8", "9", "20"])
def test_cards_do_not_begin_so(first: str) -> None:
    for length in range(13, 20):
        assert not has_card_number(with_check_digit(first + "4" * (length - len(first) - 1)))


@pytest.mark.parametrize("separator", [" ", "\u00a0", "-", "."])
def test_single_separators_may_stand_between_digits(separator: str) -> None:
    grouped = separator.join(("4242", "4242", "4242", "4242"))
    assert mask_card_numbers(grouped) == separator.join(("****", "****", "****", "4242"))
    amex = separator.join(("3782", "822463", "10005"))
    assert mask_card_numbers(f"({amex})") == "(" + separator.join(("****", "******", "*0005")) + ")"
    spread = separator.join(VISA)
    assert mask_card_numbers(spread) == separator.join(MASKED_VISA)


def test_separators_may_be_mixed_and_doubled_but_no_more() -> None:
    assert mask_card_numbers("4242-4242 4242.4242") == "****-**** ****.4242"
    for between in ("  ", "--", "\n", "\t", "/", "_", "\u2009", "\u2011", "\u2013 "):
        assert mask_card_numbers(f"42424242{between}42424242") == f"********{between}****4242"
    for between in ("   ", " - ", ",", "*", ":", ";"):
        assert not has_card_number(f"42424242{between}42424242")


def test_a_word_before_it_hides_none() -> None:
    for word in ("visa", "Mastercard", "PAN", "card"):
        assert mask_card_numbers(f"{word}{VISA}") == f"{word}{MASKED_VISA}"
    assert mask_card_numbers("my visa4242 4242 4242 4242") == "my visa**** **** **** 4242"
    for letters in ("fad", "decade", "x", "cs", "no"):
        assert not has_card_number(f"{letters}{VISA}")


DIGITS = {
    "full-width": "\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19",
    "arabic": "\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669",
    "devanagari": "\u0966\u0967\u0968\u0969\u096a\u096b\u096c\u096d\u096e\u096f",
}


@pytest.mark.parametrize("script", DIGITS)
def test_digits_of_other_scripts_are_digits(script: str) -> None:
    table = str.maketrans("0123456789", DIGITS[script])
    number = VISA.translate(table)
    assert mask_card_numbers(f"card {number}.") == f"card {'*' * 12}{number[-4:]}."
    assert has_card_number(VISA[:8] + number[8:])
    assert not has_card_number(other_check_digit(VISA).translate(table))
    assert not has_card_number("1234".translate(table) + VISA)


def test_signs_that_only_look_like_digits_break_a_number() -> None:
    for sign in ("\u00b2", "\u2461", "\u00bd", "\u4e09"):
        assert not has_card_number(VISA[:8] + sign + VISA[9:])
        assert mask_card_numbers(sign + VISA) == sign + MASKED_VISA


AROUND = (
    *("{}", "card: {}", "{}, thanks", "({})", '"{}"', "é{}é", "№{}", "_{}_", "*{}*", "#{}"),
    *("https://shop.example/?card={}&x=1", "https://shop.example/{}/pay", "{}@shop.example"),
    *('{{"note":"{}"}}', '{{"number":{},"a":1}}', "<b>{}</b>", "a\n{}\r\nb", "\t{}\x00", "{}."),
    *("exp 12/28 {} cvc", "{} 12/28", "v1.{}", "-{}-", "order 12 {}", "{} 123", "1.{}"),
    *("https://shop.example/?q=my%20{}", "?a%3D{}%26b", "%{}", '"card:\\n{}\\t"', '"\\u00a0{}"'),
)


@pytest.mark.parametrize("around", AROUND)
def test_a_card_number_is_found_among(around: str) -> None:
    for number in (VISA, "4242 4242 4242 4242", "378282246310005"):
        text = around.format(number)
        masked = mask_card_numbers(text)
        assert has_card_number(text)
        assert masked == around.format(number[:-4].translate(STARS) + number[-4:])
        assert not has_card_number(masked)


STARS = str.maketrans("0123456789", "*" * 10)


def test_an_escaped_blank_separates_as_a_blank_does() -> None:
    grouped = "4242 4242\u00a04242-4242"
    for text in (quote(grouped), json.dumps(grouped), urlencode({"card": VISA})):
        masked = mask_card_numbers(text)
        assert "424242" not in masked
        assert len(masked) == len(text)
        assert masked.count("*") == 12
    assert json.loads(mask_card_numbers(json.dumps(grouped))) == "**** ****\u00a0****-4242"


@pytest.mark.parametrize("beside", ["a{}", "{}a", "Z{}", "{}Z", "abc{}def", "0x{}", "a{}-1"])
def test_digits_that_touch_a_letter_are_no_card_number(beside: str) -> None:
    assert not has_card_number(beside.format(VISA))


def test_a_letter_touches_only_the_group_beside_it() -> None:
    assert mask_card_numbers(f"a1 {VISA} 2b") == f"a1 {MASKED_VISA} 2b"
    assert not has_card_number("a4242 4242 4242 4242")
    assert not has_card_number("4242 4242 4242 4242a")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("order 12 4242 4242 4242 4242", "order 12 **** **** **** 4242"),
        ("4242 4242 4242 4242 12 28", "**** **** **** 4242 12 28"),
        ("1 4242424242424242 9", "1 ************4242 9"),
        ("4.4242-4242-4242-4242", "4.****-****-****-4242"),
        (f"{VISA} 5555555555554444", "************4242 ************4444"),
        (f"{'1' * 25} {VISA}", f"{'1' * 25} {MASKED_VISA}"),
        (f"{VISA} {'1' * 25}", f"{MASKED_VISA} {'1' * 25}"),
        ("12 4242 4242 4242 4241 9", "12 4242 4242 4242 4241 9"),
    ],
)
def test_a_card_number_is_found_among_other_groups(text: str, masked: str) -> None:
    assert mask_card_numbers(text) == masked
    assert has_card_number(text) == (text != masked)


def test_of_overlapping_card_numbers_no_one_keeps_more_than_the_last_four() -> None:
    overlapping = " ".join(["4242"] * 6)
    assert mask_card_numbers(overlapping) == "**** **** **** **** **** 4242"


@pytest.mark.parametrize("text", ["", " ", "4242", "1,500.00 KES", "a" * 100, "....", "%", "\\u"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert not has_card_number(text)
    assert mask_card_numbers(text) == text


def windows(text: str) -> list[tuple[int, int]]:
    """Every card number of a text without escapes, by trying each start and each end."""
    free = [
        at
        for at in range(len(text) + 1)
        if not (text[at - 1 : at].isalnum() and text[at : at + 1].isalnum())
    ]
    return [
        (start, end)
        for start in free
        for end in free
        if start + 13 <= end and is_card_number(text[start:end])
    ]


def is_card_number(text: str) -> bool:
    """Whether this is one from its first character to its last."""
    digits = "".join(character for character in text if character.isdigit())
    return (
        13 <= len(digits) <= 19
        and text[0] in "23456"
        and text[-1].isdigit()
        and not digits.startswith("20")
        and passes_luhn(digits)
        and set(text) <= set("0123456789 -./")
        and not re.search(r"\D{3}", text)
    )


def noise(random: Random) -> str:
    alphabet = random.choice(("0123456789", "4", "42", "0123456789 ", "24 ", "2468 -.", "40 a/"))
    words = ["".join(random.choices(alphabet, k=random.randrange(1, 9))) for _ in range(9)]
    return random.choice(("", " ", "-", " ", "x")).join(words)


def test_nothing_is_found_or_missed_that_trying_everything_would_not() -> None:
    random = Random(10)
    outcomes = {True: 0, False: 0}
    for _ in range(2000):
        text = noise(random)
        expected = windows(text)
        outcomes[bool(expected)] += 1
        assert has_card_number(text) == bool(expected), text
        masked = mask_card_numbers(text)
        for start, end in expected:
            digits = [character for character in masked[start:end] if character in "*0123456789"]
            assert set(digits[:-4]) == {"*"}, text
    assert min(outcomes.values()) > 400


def test_a_mask_changes_digits_only_and_leaves_no_card_number() -> None:
    random = Random(11)
    for _ in range(5000):
        text = noise(random)
        masked = mask_card_numbers(text)
        assert len(masked) == len(text)
        changed = [(a, b) for a, b in zip(text, masked, strict=True) if a != b]
        assert all(a.isdigit() and b == "*" for a, b in changed)
        assert not has_card_number(masked), text
        assert mask_card_numbers(masked) == masked


def test_the_digits_that_a_mask_keeps_begin_no_card_number() -> None:
    behind = with_check_digit("424200000000").removeprefix("4242")
    assert not has_card_number(behind)
    masked = mask_card_numbers(f"{VISA} {behind}")
    assert masked == f"{'*' * 16} *****{behind[-4:]}"


HOSTILE = (
    *("4", "4 ", "3 ", "44 ", "4242 ", f"{VISA} ", "4" * 19 + " ", "4" * 20 + " ", "4\x00"),
    *("%20", "4%20", "%2", "\\u00", "+4", "4a", "-", "00000000-", "4  ", "4" * 12 + " "),
)


@pytest.mark.parametrize("pattern", HOSTILE)
def test_a_long_hostile_text_comes_to_an_end(pattern: str) -> None:
    """In quadratic time each of these would take minutes."""
    text = pattern * (200_000 // len(pattern))
    assert (mask_card_numbers(text) != text) == has_card_number(text)
