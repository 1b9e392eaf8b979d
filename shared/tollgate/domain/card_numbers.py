"""Card numbers in text: none is ever stored, wherever somebody typed it.

A card number is 13 to 19 digits of any script, perhaps with one or two separators between them,
which begin as payment cards do and have a right check digit (ISO/IEC 7812-1: issuer ranges; annex
B: Luhn). It stands free of other digits and of the letters of hexadecimal ids, but not of words:
"visa4242…" is one.

Where groups of digits follow each other ("order 12 4242 …"), any of them in a row may be one. The
time is linear in the length of the text: a start has seven possible ends, and running sums tell
which of them makes the check digit right.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import accumulate

MIN_DIGITS = 13
MAX_DIGITS = 19
KEPT_DIGITS = 4
MIN_WORD = 3
MAX_PHONE_DIGITS = 15
"""Of an international phone number, written with a plus (ITU-T E.164)."""

# what Luhn adds up for a digit in every second place
DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)

# whole groups only, so that a number longer than a card's is none
GROUP = r"(?<![\dA-Za-z])\d{1,19}+(?![\dA-Za-z])"
SEPARATOR = r"(?:[\s._/\u2010-\u2015\u2212-]{1,2}+|\0{2,6})"
GROUPS = re.compile(rf"{GROUP}(?:{SEPARATOR}{GROUP})*+")

# the letters and digits of an escaped character, in a URL or in JSON, don't touch a number; it is
# read as so many \0, and separates like a blank
ESCAPED = re.compile(r"%[0-9A-Fa-f]{2}|\\(?:u[0-9A-Fa-f]{4}|[bfnrt])")

# a word directly before digits: with a letter that hexadecimal lacks, it is no part of an id
WORD = re.compile(r"(?<![A-Za-z])[A-Za-z]++(?=\d)")

# one in 20,000 random UUIDs would else begin with a card number of 8-4-4 digits
UUID = re.compile(
    r"(?<![0-9A-Za-z])[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}(?![0-9A-Za-z])"
)


def has_card_number(text: str) -> bool:
    """Whether a card number stands somewhere in this text."""
    return any(True for _ in _secret_digits(text))


def mask_card_numbers(text: str) -> str:
    """The text, as long as before, with a `*` for each digit of a card number but the last four.

    Of card numbers that overlap only the digits that all of them would keep are kept.
    """
    characters = list(text)
    for position in _secret_digits(text):
        characters[position] = "*"
    return "".join(characters)


def _secret_digits(text: str) -> Iterator[int]:
    """The positions of the digits that may not be stored, some perhaps twice."""
    without_uuids = UUID.sub(_blank_with_letters, text)
    without_escapes = ESCAPED.sub(lambda escaped: "\0" * len(escaped[0]), without_uuids)
    for reading in {without_uuids, without_escapes}:
        for groups in GROUPS.finditer(WORD.sub(_stop_if_a_word, reading)):
            if groups.end() - groups.start() >= MIN_DIGITS:
                yield from _secret_digits_of(groups)


def _stop_if_a_word(letters: re.Match[str]) -> str:
    """A `:` for each letter, which touches no number; the same where it may be hexadecimal."""
    is_word = len(letters[0]) >= MIN_WORD and letters[0].strip("abcdefABCDEF") != ""
    return ":" * len(letters[0]) if is_word else letters[0]


def _blank_with_letters(uuid: re.Match[str]) -> str:
    """An `x` for each character, unless it is of digits only: no one can tell what that is."""
    return uuid[0] if uuid[0].replace("-", "").isdigit() else "x" * len(uuid[0])


def _secret_digits_of(groups: re.Match[str]) -> Iterator[int]:
    """The positions in the text that was searched, each once."""
    text = groups.string
    after_plus = text[groups.start() - 1 : groups.start()] == "+"
    positions = [at for at in range(*groups.span()) if text[at].isdecimal()]
    done = 0
    for start, end in _card_numbers(groups[0], MAX_PHONE_DIGITS if after_plus else 0):
        secret_until = end - KEPT_DIGITS
        if secret_until > done:
            yield from positions[max(start, done) : secret_until]
            done = secret_until


def _card_numbers(groups: str, phone_digits: int) -> Iterator[tuple[int, int]]:
    """The longest card number from each start: the counts of digits before it and to its end.

    What lies within the first `phone_digits` is a phone number.
    """
    digits = [unicodedata.decimal(digit) for digit in groups if digit.isdecimal()]
    to_even, to_odd = _luhn_sums(digits)
    starts = bytearray(len(digits) + 1)
    ends = bytearray(len(digits) + 1)
    for border in accumulate(map(len, re.findall(r"\d+", groups)), initial=0):
        starts[border] = 1
        ends[border] = (to_odd if border % 2 else to_even)[border]
    start = 0
    while 0 <= start <= len(digits) - MIN_DIGITS:
        if _begins_a_card(digits, start):
            shortest, longest = max(start + MIN_DIGITS, phone_digits + 1), start + MAX_DIGITS
            even = ends.rfind(to_even[start], shortest, longest + 1)
            odd = ends.rfind(to_odd[start], shortest, longest + 1)
            if even > 0 or odd > 0:
                end = max(even, odd)
                yield start, end
                # a mask lays the kept digits bare: no new number may arise with those behind
                starts[end - KEPT_DIGITS] = 1
        start = starts.find(1, start + 1)


def _begins_a_card(digits: list[int], start: int) -> bool:
    """Travel, banking, merchandising and so on: 2 to 6; but 20 begins a date of this century."""
    first = digits[start]
    return 2 < first <= 6 or (first == 2 and digits[start + 1] != 0)


def _luhn_sums(digits: list[int]) -> tuple[bytes, bytes]:
    """Luhn's running sums modulo 10: for numbers that end after an even count of digits, or an odd.

    From a number's last digit leftwards every second one is doubled, so its end decides which. The
    check digit is right when the sums before the number and behind it are equal. The sums are 1 to
    10 and 11 to 20: they can't be mistaken for each other, nor for the 0 where no group ends.
    """
    even, odd = digits[:], digits[:]
    even[::2] = [DOUBLED[digit] for digit in digits[::2]]
    odd[1::2] = [DOUBLED[digit] for digit in digits[1::2]]
    return (
        bytes([total % 10 + 1 for total in accumulate(even, initial=0)]),
        bytes([total % 10 + 11 for total in accumulate(odd, initial=0)]),
    )
