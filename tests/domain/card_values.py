"""Card numbers that no one has."""

from random import Random

VISA = "4242424242424242"
MASKED_VISA = "************4242"


def passes_luhn(digits: str) -> bool:
    """As one does it by hand, from the right."""
    total = 0
    for at, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + at % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def with_check_digit(digits: str) -> str:
    return next(digits + last for last in "0123456789" if passes_luhn(digits + last))


def card_of(random: Random, length: int) -> str:
    first = random.choice("23456") + random.choice("123456789")
    rest = "".join(random.choice("0123456789") for _ in range(length - 3))
    return with_check_digit(first + rest)
