"""The addresses that Pesapal tells of payments: it lets orders name none that is not registered.

Source: developer.pesapal.com, API 3.0 (register IPN URL, get registered IPN URLs). An address that
is registered twice is there twice, and can't be taken away again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tollgate.domain.errors import PspUnavailable, RefusedByPsp
from tollgate.psp.answers import as_documented, mapping, text
from tollgate.psp.pesapal.api import PSP, Api

NOTIFICATION_TYPE = "POST"
"""Rather than GET: what is in a query is written into the logs of all that it passes."""

_URL_MAX_LENGTH = 2048


@dataclass(frozen=True)
class Ipn:
    """A registered address. `id` is what orders name it by, as `notification_id`."""

    id: str
    url: str
    is_active: bool


def list_ipns(api: Api) -> list[Ipn]:
    """Every address of this account. Raises PspUnavailable, Misconfigured."""
    answer = api.read("/api/URLSetup/GetIpnList")
    with as_documented(PSP):
        if answer.http_status >= 300 or not isinstance(answer.content, list):
            raise ValueError
        return [_read_ipn(mapping(item)) for item in answer.content]


def register_ipn(api: Api, url: str) -> Ipn:
    """Registers the address, to be told by POST. Raises as `list_ipns`, and RefusedByPsp."""
    asked = {"url": url, "ipn_notification_type": NOTIFICATION_TYPE}
    answer = api.send("/api/URLSetup/RegisterIPN", asked)
    if answer is None:
        raise PspUnavailable("Pesapal's answer was lost: list the addresses before you try again.")
    if answer.is_refusal:
        raise RefusedByPsp(f"Pesapal refused this address: {answer.error_code}.")
    with as_documented(PSP):
        if not answer.went_well:
            raise ValueError
        return _read_ipn(answer.body)


def _read_ipn(item: Mapping[str, Any]) -> Ipn:
    is_active = item.get("ipn_status") in (None, 1, "1")
    return Ipn(text(item["ipn_id"]), text(item["url"], _URL_MAX_LENGTH), is_active)
