"""HTTP to a PSP, with what a broken connection means for whether anything happened."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from tollgate.domain.errors import PspUnavailable

if TYPE_CHECKING:
    import httpx

READ_SECONDS = 5.0
"""From opening the connection to the last byte: somebody waits for a read."""
SEND_SECONDS = 10.0


class Client:
    """Requests to one PSP at `url`, over connections that it keeps. Follows no redirect.

    The arguments of requests are those of httpx.Client.request.
    """

    def __init__(self, psp: str, url: str) -> None:
        self._psp = psp
        self._url = url.rstrip("/")

    def read(self, method: str, path: str, **request: Any) -> "httpx.Response":
        """A request that changes nothing. Raises PspUnavailable when no answer came."""
        import httpx

        try:
            return self._reading.request(method, self._url + path, **request)
        except httpx.HTTPError:
            raise self._unreachable() from None

    def send(self, method: str, path: str, **request: Any) -> "httpx.Response | None":
        """A request that does something. None when no answer came: nobody knows whether it did.

        Raises PspUnavailable where there was no connection to send it by.
        """
        import httpx

        try:
            return self._sending.request(method, self._url + path, **request)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise self._unreachable() from None
        except httpx.HTTPError:
            return None

    def _unreachable(self) -> PspUnavailable:
        return PspUnavailable(f"{self._psp} can't be reached just now.")

    @cached_property
    def _reading(self) -> "httpx.Client":
        return _opened(READ_SECONDS)

    @cached_property
    def _sending(self) -> "httpx.Client":
        return _opened(SEND_SECONDS)


def _opened(seconds: float) -> "httpx.Client":
    import httpx

    from tollgate.psp.deadline import DeadlineTransport

    # no proxy of the environment: the platform has none, and a laptop's would see the secrets
    return httpx.Client(transport=DeadlineTransport(seconds), timeout=seconds, trust_env=False)
