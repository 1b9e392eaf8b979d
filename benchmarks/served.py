"""The functions over real stores of their own, for a measurement."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from local.databases import Databases, seeing_all
from tests.world import Stores, World, world_over


@contextlib.contextmanager
def served(*, durable: bool) -> Iterator[World]:
    """Two apps over an embedded PostgreSQL, which writes through to the disk or not, and Valkey."""
    directory = Path(tempfile.mkdtemp(prefix="tollgate-benchmark-"))
    directory.chmod(0o755)
    databases = Databases(directory, durable=durable)
    try:
        urls = databases.start_postgres(None, print)
        redis_url = databases.start_redis(None, print)
        with world_over(Stores(seeing_all(urls.owner), urls.service, redis_url)) as world:
            yield world
    finally:
        databases.stop()
        shutil.rmtree(directory)
