"""Ids like Stripe's: a prefix and random letters and digits."""

import string
from random import Random

_ALPHABET = string.ascii_letters + string.digits


class Identifiers:
    """Draws ids from the random source given, so that a seeded one repeats them."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def new(self, prefix: str, length: int = 24) -> str:
        return prefix + "".join(self._random.choices(_ALPHABET, k=length))
