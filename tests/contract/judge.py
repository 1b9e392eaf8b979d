"""What must be true at the end of every test: the PSP's ledger, our rows and our answers agree."""

from local.seed import operators_context
from tests.contract.driver import Line
from tests.contract.stage import Stage
from tollgate.domain.capabilities import RefundBy
from tollgate.operations.invariants import check_invariants

GIVES_ACCESS = ("succeeded", "partially_refunded")


def judge(stage: Stage) -> None:
    """Raises AssertionError, which says what is wrong."""
    stage.psp.faults()
    stage.hear()
    _no_rule_is_broken(stage)
    _money_is_where_we_say(stage)
    _access_is_for_who_paid(stage)
    _every_answer_is_in_the_contract(stage)


def _no_rule_is_broken(stage: Stage) -> None:
    operator = operators_context(stage.world.stores.owner_url, stage.clock.now())
    try:
        broken = [str(found) for found in check_invariants(operator) if not found.holds]
    finally:
        operator.database.close()
    assert not broken, broken


def _money_is_where_we_say(stage: Stage) -> None:
    """What a human has to look at is left to the human."""
    known = stage.rows(
        "SELECT id, status, amount_captured_minor, amount_refunded_minor FROM payments"
    )
    for payment_id, status, captured, refunded in known:
        lines = stage.psp.lines(payment_id)
        paid = [line for line in lines if line["captured"]]
        assert len(paid) <= 1, f"{payment_id} was charged more than once: {paid}"
        if status == "needs_review":
            continue
        assert captured == _sum(lines, "captured"), f"{payment_id} is {status}: {lines}"
        if stage.can.refund is RefundBy.API:  # others don't tell how much, or don't tell at all
            assert refunded == _sum(lines, "refunded"), f"{payment_id} is {status}: {lines}"


def _access_is_for_who_paid(stage: Stage) -> None:
    clients = stage.rows(
        """SELECT client_id, bool_or(status = ANY(%s) AND plan IS NOT NULL)
           FROM payments GROUP BY client_id""",
        list(GIVES_ACCESS),
    )
    for client, has_paid in clients:
        assert stage.is_active(client) == has_paid, f"{client} has paid: {has_paid}"


def _every_answer_is_in_the_contract(stage: Stage) -> None:
    answers = [*stage.answers, *(arrival.answer for arrival in stage.gateway.arrivals)]
    for answer in answers:
        if answer.status >= 400:
            problem = answer.json
            assert answer.status < 500 or answer.status == 503, problem
            assert answer.headers["content-type"].startswith("application/problem+json")
            assert problem["code"], problem


def _sum(lines: list[Line], name: str) -> int:
    return sum(line[name] for line in lines)
