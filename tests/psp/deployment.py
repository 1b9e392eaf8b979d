"""The settings of a deployment, as far as an adapter reads them."""

from collections.abc import Mapping

from tollgate.domain.keyring import Keyring
from tollgate.settings import Settings


def deployment(values: Mapping[str, str], *, livemode: bool = False) -> Settings:
    """One that takes payments through the PSP whose settings these are."""
    return Settings(
        livemode=livemode,
        database_url="",
        redis_url="",
        cache_secret=b"",
        public_url="https://functions.example",
        access_token_keys=Keyring({}),
        psp_values=values,
    )
