"""What a deployment is set up with: credentials, settings, and one token for many calls."""

from tests.contract.kinds import for_kinds
from tests.contract.stage import Stage


@for_kinds()
def test_other_credentials_are_ours_to_mend(stage: Stage) -> None:
    """Those of the other mode, for one: 503, and the same request is good once that is mended."""
    with stage.deployed({stage.kind.credential: "sk_live_of_another_account"}):
        answer = stage.create()
        assert (answer.status, answer.json["code"]) in (
            (503, "misconfigured"),
            (503, "psp_unavailable"),
        )
        assert stage.psp.lines() == []
        assert stage.is_active() is False
    again = stage.create()
    assert (again.status, again.json["status"]) == (201, "requires_action")


@for_kinds()
def test_nothing_is_sent_where_a_setting_is_missing(stage: Stage) -> None:
    with stage.deployed({stage.kind.credential: "none"}):
        answer = stage.create()
        assert (answer.status, answer.json["code"]) in (
            (503, "misconfigured"),
            (422, "unsupported_psp"),
        )
        assert stage.watched.asked == []


@for_kinds()
def test_one_token_serves_many_calls(stage: Stage) -> None:
    for number in range(3):
        payment = stage.paid(f"k-{number}", f"client-{number}")
        stage.hear()
        stage.containers.end()
        stage.pass_time(seconds=11)
        stage.come_back(payment)
    requests = stage.psp.ledger()["token_requests"]
    assert requests <= 1
    stage.pass_time(hours=24)
    stage.opened("k-later", "client-later")
    assert stage.psp.ledger()["token_requests"] == 2 * requests
