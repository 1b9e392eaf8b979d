"""Ids like a PSP's: a prefix and random characters, or a GUID."""

import string
from random import Random
from uuid import UUID

LETTERS_AND_DIGITS = string.ascii_letters + string.digits
CAPITALS_AND_DIGITS = string.ascii_uppercase + string.digits


class Identifiers:
    """Draws ids from the random source given, so that a seeded one repeats them."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def new(self, prefix: str, length: int = 24, alphabet: str = LETTERS_AND_DIGITS) -> str:
        """The prefix and `length` characters of the alphabet."""
        return prefix + "".join(self._random.choices(alphabet, k=length))

    def guid(self) -> str:
        """A random UUID, in lower case with hyphens."""
        return str(UUID(int=self._random.getrandbits(128), version=4))
