"""The REST paths lead to their functions."""

import pytest

from local.host.problems import Refusal
from local.host.rest import ROUTES, Target, find
from tests.local.host.sample import Sample, in_loop, serving

ALL = frozenset(function for _, _, function in ROUTES)


@pytest.mark.parametrize(
    ("method", "path", "function", "suffix"),
    [
        ("POST", "/payments", "payments/create", ""),
        ("GET", "/payments/pay_1", "payments/get", "/pay_1"),
        ("POST", "/webhook/stripe", "webhook/receive", "/stripe"),
        ("GET", "/webhook/pesapal", "webhook/receive", "/pesapal"),
        ("GET", "/subscriptions/a%2Fb", "subscriptions/check", "/a%2Fb"),
        ("POST", "/subscriptions", "subscriptions/create", ""),
        ("PUT", "/subscriptions/sub_1", "subscriptions/cancel", "/sub_1"),
        ("PUT", "/subscriptions/sub_1/pause", "subscriptions/pause", "/sub_1"),
        ("OPTIONS", "/payments/pay_1", "payments/get", "/pay_1"),
    ],
)
def test_path_is_served_by(method: str, path: str, function: str, suffix: str) -> None:
    assert find(method, path, ALL) == Target(function, suffix)


@pytest.mark.parametrize("path", ["/", "/payments/", "/payments/a/b/c", "/webhook", "/clients"])
def test_other_paths_are_none(path: str) -> None:
    assert find("GET", path, ALL) is None


def test_wrong_method_is_405_with_what_is_allowed() -> None:
    with pytest.raises(Refusal) as refused:
        find("DELETE", "/subscriptions/c_1", ALL)
    assert refused.value.status == 405
    assert refused.value.headers == {"Allow": "GET, PUT, OPTIONS"}


def test_path_without_its_function_is_none() -> None:
    assert find("POST", "/payments", frozenset()) is None


@in_loop
async def test_rest_over_http(sample: Sample) -> None:
    source = "def main(event): return {'body': {'path': event['http']['path']}}"
    sample.write("packages/payments/get/__main__.py", source)
    sample.write(
        "project.yml",
        "packages: [{name: payments, functions: [{name: get, web: raw}]}]",
    )
    async with serving(sample) as served:
        found = await served.client.get("/payments/pay_1?x=1")
        wrong = await served.client.put("/payments/pay_1")
        absent = await served.client.post("/payments")
    assert found.json() == {"path": "/pay_1"}
    assert found.headers["access-control-allow-origin"] == "*"
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, OPTIONS")
    assert wrong.headers["content-type"] == "application/problem+json"
    assert (absent.status_code, absent.json()["code"]) == (404, "not_found")
