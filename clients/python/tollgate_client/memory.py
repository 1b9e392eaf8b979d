"""The last entitlement of each client, in this process."""

import threading
from collections import OrderedDict

Key = tuple[str, str | None]


class Memory:
    """So many tokens at most; the one that was not asked for the longest goes first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._tokens: OrderedDict[Key, str] = OrderedDict()

    def get(self, key: Key) -> str | None:
        """The token under this key."""
        with self._lock:
            if key in self._tokens:
                self._tokens.move_to_end(key)
            return self._tokens.get(key)

    def put(self, key: Key, token: str) -> None:
        """Remembers a token, in place of the one before."""
        with self._lock:
            self._tokens[key] = token
            self._tokens.move_to_end(key)
            if len(self._tokens) > self._size:
                self._tokens.popitem(last=False)

    def forget(self, key: Key) -> None:
        """Forgets what is under this key."""
        with self._lock:
            self._tokens.pop(key, None)
