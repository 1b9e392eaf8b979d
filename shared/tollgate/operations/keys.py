"""Finding an API key: in this container's memory, then in Redis, then in PostgreSQL.

However it was found, what is believed of it is at most a minute old: a revoked key is refused by
then.
"""

import time

from tollgate.domain.principal import ApiKey
from tollgate.operations.context import Context
from tollgate.storage import api_key_cache, apps


def find_key(context: Context, key_id: str) -> ApiKey | None:
    """The key with this public id, as it stood within the last minute."""
    key = api_key_cache.get_key(context.cache, key_id)
    if key is None:
        read_at = time.time()
        key = apps.find_key(context.database, key_id)
        if key is not None:
            api_key_cache.put_key(context.cache, key, read_at)
    return key
