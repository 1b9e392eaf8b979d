"""Stories of clients who pay by card, and let the app keep it."""

from tests.journeys.stories.conftest import Begin


def test_trial_to_paid(begin: Begin) -> None:
    with begin("2027-01-31 09:00") as story:
        story.plan("gold", 150_000, trial_days=14)
        stays, leaves = story.client("client-stays"), story.client("client-leaves")
        stays.subscribes("gold")
        leaves.subscribes("gold")
        story.until("2027-02-12 09:00")
        stays.is_("trial", None, trial_end="2027-02-14T09:00:00Z")
        stays.pays_link("card", save="yes")
        stays.is_("paid", "2027-03-14 09:00")  # the month follows the trial
        story.until("2027-02-14 09:00")
        leaves.is_("expired", None)
        story.until("2027-07-14 09:00")
        stays.is_("paid", "2027-08-14 09:00")
        assert [end for _, end in stays.periods] == [
            f"2027-{month:02}-14 09:00" for month in range(3, 9)
        ]
        assert leaves.periods == []
        assert story.taken() == {"KES": 6 * 150_000}


def test_a_declined_card_is_dunned_back(begin: Begin) -> None:
    with begin("2027-01-31 09:00") as story:
        story.plan("gold", 150_000, grace_days=5)
        client = story.client("client-card")
        client.pays("gold", save_method=True)
        story.until("2027-02-20 09:00")
        story.switches("stripe", off_session="declined")
        story.until("2027-02-28 09:00")
        client.is_("grace", "2027-02-28 09:00", status="past_due")
        story.until("2027-03-02 09:00")  # declined a day before the end, and a day after it
        client.is_("grace", "2027-02-28 09:00", grace_until="2027-03-05T09:00:00Z")
        story.switches("stripe")
        story.until("2027-03-03 09:00")
        client.is_("paid", "2027-03-31 09:00")  # in grace: no day is lost or won
        story.until("2027-06-01 09:00")
        client.is_("paid", "2027-06-30 09:00")
        declined = [line for line in client.told if "payment.failed" in line]
        assert [line[:16] for line in declined] == ["2027-02-27 09:00", "2027-03-01 09:00"]
        assert story.taken() == {"KES": 5 * 150_000}


def test_a_bank_that_wants_the_client_is_not_asked_without_it(begin: Begin) -> None:
    with begin("2027-01-31 09:00") as story:
        story.plan("gold", 150_000, grace_days=7)
        client = story.client("client-3ds")
        client.pays("gold", save_method=True)
        story.until("2027-02-20 09:00")
        story.switches("stripe", off_session="authentication_required")
        story.until("2027-03-04 09:00")
        client.is_("grace", "2027-02-28 09:00")
        assert sum("payment.failed" in line for line in client.told) == 1
        client.pays_link("card", save="yes")
        client.is_("paid", "2027-03-31 09:00")
        story.switches("stripe")
        story.until("2027-05-01 09:00")
        client.is_("paid", "2027-05-31 09:00")
        assert story.taken() == {"KES": 4 * 150_000}


def test_a_card_that_is_declined_to_the_end(begin: Begin) -> None:
    with begin("2027-10-31 09:00") as story:
        story.plan("gold", 150_000, grace_days=3)
        client = story.client("client-gone")
        client.pays("gold", save_method=True)
        story.switches("stripe", off_session="declined")
        story.until("2027-11-30 09:00")
        client.is_("grace", "2027-11-30 09:00", status="past_due")
        story.until("2027-12-03 09:00")
        client.is_("expired", "2027-11-30 09:00", status="expired")
        story.until("2028-01-10 09:00")
        declined = [line[:16] for line in client.told if "payment.failed" in line]
        assert declined == [
            f"2027-{day} 09:00" for day in ("11-29", "12-01", "12-03", "12-05", "12-07")
        ]
        assert client.told[-1].startswith("2027-12-07")  # then it is left in peace
        story.switches("stripe")
        story.until("2028-02-29 09:00")
        client.pays("gold", save_method=True)
        client.is_("paid", "2028-03-29 09:00")  # it comes back, from now on
        story.until("2028-04-29 09:00")
        client.is_("paid", "2028-05-29 09:00")
        assert story.taken() == {"KES": 4 * 150_000}
