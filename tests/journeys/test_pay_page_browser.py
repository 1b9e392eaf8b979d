"""The pay page in a real browser, on a phone's screen: from a bill's link to an active check."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.journeys.conftest import Served

expect.set_options(timeout=20_000)
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
PHONE = {"width": 360, "height": 640}
CARD, MPESA, PAYPAL = "Pay by card", "Pay by M-Pesa", "Pay by PayPal"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip("Chromium is not installed: apt install chromium, or name it in CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture(params=[True, False], ids=["javascript", "no javascript"])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A tab of a small phone; once with JavaScript, once without."""
    context = browser.new_context(
        viewport=PHONE,  # type: ignore[arg-type] # a TypedDict of playwright's own
        has_touch=True,
        is_mobile=True,
        java_script_enabled=request.param,
    )
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


def subscribe(served: Served, client_id: str, currency: str, app: int = 0, **more: object) -> str:
    """A new subscription; the link to pay it."""
    answer = served.http.post(
        f"{served.rest_url}/subscriptions",
        json={"client_id": client_id, "plan": "monthly", "currency": currency, **more},
        headers=authorization(served, app),
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["pay_url"])


def authorization(served: Served, app: int) -> dict[str, str]:
    return {"Authorization": f"Bearer {served.described['apps'][app]['key']}"}


def is_active(served: Served, client_id: str, app: int = 0) -> bool:
    url = f"{served.rest_url}/subscriptions/{client_id}"
    return bool(served.http.get(url, headers=authorization(served, app)).json()["active"])


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).first.tap()


def fits(page: Page) -> None:
    """Nothing is cut off at the side, and what is tapped is big enough for a thumb."""
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    for button in page.locator("button, .button").all():
        box = button.bounding_box()
        assert box is not None and box["height"] >= 44


def receipt(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, it is paid")
    fits(page)


def new_client() -> str:
    return f"browser-{uuid.uuid4().hex[:12]}"


def test_a_card(served: Served, page: Page, tmp_path: Path) -> None:
    client_id = new_client()
    page.goto(subscribe(served, client_id, "KES"))
    expect(page.get_by_role("heading", level=1)).to_have_text("To pay")
    expect(page.locator("body")).to_contain_text("KES 1,500.00")
    fits(page)
    page.screenshot(path=tmp_path / "due.png", full_page=True)
    press(page, CARD)
    press(page, "Decline")
    expect(page.locator(".alert")).to_be_visible()
    press(page, "Pay")
    receipt(page)
    page.screenshot(path=tmp_path / "receipt.png", full_page=True)
    assert is_active(served, client_id)


def test_paypal(served: Served, page: Page) -> None:
    client_id = new_client()
    page.goto(subscribe(served, client_id, "USD"))
    expect(page.locator("body")).to_contain_text("USD 15.00")
    press(page, PAYPAL)
    press(page, "Approve")
    receipt(page)
    assert is_active(served, client_id)


def test_pesapal_asks_for_what_it_must_know(served: Served, page: Page) -> None:
    client_id, app = new_client(), 1
    route = served.http.put(
        f"{served.described['base_url']}/admin/apps/{served.described['apps'][app]['id']}",
        json={"routing": [{"method": "mpesa", "psps": ["pesapal"]}]},
        headers={"Authorization": f"Bearer {served.described['admin_key']}"},
    )
    assert route.status_code == 200, route.text
    page.goto(subscribe(served, client_id, "KES", app))
    press(page, MPESA)
    expect(page.get_by_role("alert")).to_be_visible()
    fits(page)
    page.get_by_label("Email").fill("client@example.com")
    press(page, MPESA)
    press(page, "M-Pesa")
    receipt(page)
    assert is_active(served, client_id, app)


def test_an_mpesa_prompt_in_swahili(served: Served, page: Page, tmp_path: Path) -> None:
    client_id = new_client()
    customer = {"phone": "+254712345678", "email": "client@example.com"}
    page.goto(subscribe(served, client_id, "KES", customer=customer, renewal={"language": "sw"}))
    expect(page.locator("html")).to_have_attribute("lang", "sw")
    page.screenshot(path=tmp_path / "due-sw.png", full_page=True)
    page.get_by_label("Nambari ya simu").fill("0712 34")
    press(page, "Lipa kwa M-Pesa")
    phone_field = page.get_by_label("Nambari ya simu").first
    expect(phone_field).to_have_value("0712 34")
    expect(phone_field).to_have_attribute("aria-invalid", "true")
    fits(page)
    page.screenshot(path=tmp_path / "wrong-sw.png", full_page=True)
    phone_field.fill("")
    press(page, "Lipa kwa M-Pesa")
    expect(page.get_by_role("heading", level=1)).to_have_text("Angalia simu yako")
    expect(page.get_by_role("status")).to_contain_text("678")
    fits(page)
    page.screenshot(path=tmp_path / "phone-sw.png", full_page=True)
    ((reference,),) = served.rows(
        "SELECT psp_reference FROM payments WHERE client_id = %s", client_id
    )
    phone = page.context.new_page()
    phone.goto(f"{served.psp_url}/jenga/phone/{reference}")
    press(phone, "Enter the PIN and pay")
    expect(phone.locator("body")).to_contain_text("No prompt")
    phone.close()
    # the page looks again by itself
    expect(page.get_by_role("heading", level=1)).to_have_text("Asante, imelipwa", timeout=20_000)
    fits(page)
    page.screenshot(path=tmp_path / "receipt-sw.png", full_page=True)
    assert is_active(served, client_id)
