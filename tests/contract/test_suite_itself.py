"""The contract is worth what it finds: adapters that are broken on purpose don't pass it."""

from collections.abc import Callable

import pytest

from tests.contract import (
    broken,
    test_money,
    test_strangers,
    test_success,
    test_uncertain,
)
from tests.contract.judge import judge
from tests.contract.kinds import KINDS, without_kind
from tests.contract.stage import Ports, Stage, Wrap, stage_of
from tests.world import Stores

Check = Callable[[Stage], None]

pytestmark = pytest.mark.usefixtures("short_patience")


def _dropped_start(stage: Stage) -> None:
    check = test_uncertain.test_a_start_whose_answer_is_lost_is_finished_and_paid_once
    check(stage, "drop_after_charge")


CATCHES: dict[str, tuple[Wrap, tuple[str, ...], tuple[Check, ...]]] = {
    "a word that nobody knows is a success": (
        broken.Believer,
        ("stripe", "pesapal", "jenga-mpesa"),
        (
            test_money.test_a_word_that_nobody_knows_is_no_success,
            test_money.test_a_webhook_about_a_word_that_nobody_knows_is_to_come_again,
        ),
    ),
    "any amount will do": (
        broken.BlindToMoney,
        ("stripe-embedded", "paypal", "pesapal", "jenga"),
        (
            test_money.test_another_amount_is_for_a_human,
            test_money.test_another_currency_is_for_a_human,
        ),
    ),
    "asked again it opens again": (broken.OpensAgain, ("stripe", "paypal"), (_dropped_start,)),
    "it never verifies": (
        broken.Trusting,
        ("stripe", "paypal", "pesapal", "jenga"),
        (test_strangers.test_what_the_psp_did_not_send_is_refused,),
    ),
}
CASES = [
    pytest.param(wrap, name, check, id=f"{what}-{name}-{number}")
    for what, (wrap, names, checks) in CATCHES.items()
    for name in names
    for number, check in enumerate(checks)
]


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    broken.ORDERS.clear()
    broken.Trusting.genuine = None


def test_every_psp_has_a_kind() -> None:
    assert without_kind() == set()


@pytest.mark.parametrize(("wrap", "name", "check"), CASES)
def test_a_broken_adapter_is_found(
    stores: Stores, contract_ports: Ports, wrap: Wrap, name: str, check: Check
) -> None:
    with (
        stage_of(KINDS[name], stores, contract_ports, wrap) as stage,
        pytest.raises(AssertionError),
    ):
        check(stage)
        judge(stage)


@pytest.mark.parametrize("name", ["stripe", "jenga"])
@pytest.mark.parametrize(
    "check",
    [
        test_success.test_what_was_paid_is_settled_by_the_webhook,
        test_money.test_another_amount_is_for_a_human,
        _dropped_start,
    ],
)
def test_an_honest_one_is_not(
    stores: Stores, contract_ports: Ports, name: str, check: Check
) -> None:
    with stage_of(KINDS[name], stores, contract_ports, broken.Honest) as stage:
        check(stage)
        judge(stage)
