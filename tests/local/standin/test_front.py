"""One page that names them all, and each of them behind it."""

from tests.local.standin.conftest import SECRET_KEY, Bench


def test_the_page_leads_to_every_overview(bench: Bench) -> None:
    page = bench.http.get("/").text
    for path, title in (("/stripe", "Stripe stand-in"), ("/coins/", "Coins &amp; Co stand-in")):
        assert f'<a href="{path}">' in page
        overview = bench.http.get(path)
        assert overview.status_code == 200
        assert f"<title>{title}</title>" in overview.text
    assert "a stand-in for Stripe and Coins &amp; Co on your own machine. No money moves." in page
    assert "<script" not in page


def test_it_counts_what_is_open_and_paid(bench: Bench) -> None:
    first, second = bench.open_stripe_session(), bench.open_stripe_session()
    assert "Payments: 2 open, 0 paid" in bench.http.get("/").text
    bench.http.post(f"/c/pay/{first['id']}/decline")
    assert "Payments: 2 open, 0 paid" in bench.http.get("/").text
    bench.http.post(f"/c/pay/{first['id']}/pay")
    bench.charge()
    bench.charge()
    page = bench.http.get("/").text
    assert "Payments: 1 open, 1 paid" in page
    assert "Payments: 0 open, 2 paid" in page
    bench.clock.advance(24 * 3600)
    assert "Payments: 0 open, 1 paid" in bench.http.get("/").text
    assert bench.http.get(f"/c/pay/{second['id']}").status_code == 200


def test_one_below_a_path_is_found_without_the_slash_too(bench: Bench) -> None:
    answer = bench.http.get("/coins")
    assert (answer.status_code, answer.headers["Location"]) == (307, "/coins/")


def test_what_nobody_else_takes_is_the_roots(bench: Bench) -> None:
    key = {"Authorization": f"Bearer {SECRET_KEY}"}
    answer = bench.http.post("/nobody/charge", headers=key)
    assert answer.json()["error"]["message"] == "Unrecognized request URL (POST: /nobody/charge)."
    assert bench.http.get("/coins/v1/events", headers=key).status_code == 404
