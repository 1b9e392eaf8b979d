"""The routes of what became of a charge: charges, refunds, disputes."""

from stripe.params import (
    ChargeListParams,
    ChargeRetrieveParams,
    DisputeListParams,
    DisputeRetrieveParams,
    RefundCreateParams,
    RefundListParams,
    RefundRetrieveParams,
)

from local.stripe.api import Operation
from local.stripe.disputes import Disputes
from local.stripe.errors import Json, no_such
from local.stripe.listing import listed, newest_first
from local.stripe.refunds import Refunds
from local.stripe.rules import refuse_unmodelled
from local.stripe.store import State

_OF_CHARGE = frozenset({"balance_transaction", "refunds"})
_OF_REFUND = frozenset({"balance_transaction", "charge", "payment_intent"})
_OF_DISPUTE = frozenset({"charge", "payment_intent"})


def charge_operations(
    state: State, refunds: Refunds, disputes: Disputes
) -> dict[tuple[str, str], Operation]:
    """By method and path pattern."""
    return {
        ("GET", "/v1/charges"): Operation(
            ChargeListParams,
            lambda _, params, _cause: _charges(state, params),
            expandable=_of_each(_OF_CHARGE),
        ),
        ("GET", "/v1/charges/{id}"): Operation(
            ChargeRetrieveParams,
            lambda charge_id, _params, _cause: _charge(state, charge_id),
            expandable=_OF_CHARGE,
        ),
        ("POST", "/v1/refunds"): Operation(
            RefundCreateParams,
            lambda _, params, cause: refunds.create(params, cause),
            refunds.check_create,
            _OF_REFUND,
        ),
        ("GET", "/v1/refunds"): Operation(
            RefundListParams,
            lambda _, params, _cause: _refunds(state, params),
            expandable=_of_each(_OF_REFUND),
        ),
        ("GET", "/v1/refunds/{id}"): Operation(
            RefundRetrieveParams,
            lambda refund_id, _params, _cause: refunds.get(refund_id),
            expandable=_OF_REFUND,
        ),
        ("GET", "/v1/disputes"): Operation(
            DisputeListParams,
            lambda _, params, _cause: _disputes(state, params),
            expandable=_of_each(_OF_DISPUTE),
        ),
        ("GET", "/v1/disputes/{id}"): Operation(
            DisputeRetrieveParams,
            lambda dispute_id, _params, _cause: disputes.get(dispute_id),
            expandable=_OF_DISPUTE,
        ),
    }


def _of_each(paths: frozenset[str]) -> frozenset[str]:
    return frozenset(f"data.{path}" for path in paths)


def _charge(state: State, charge_id: str) -> Json:
    if charge_id not in state.charges:
        raise no_such("charge", charge_id, "id", status=404)
    return state.charges[charge_id]


def _charges(state: State, params: Json) -> Json:
    refuse_unmodelled(params, ["transfer_group"])
    found = newest_first(state.charges, params, "customer payment_intent")
    return listed(found, params, "charge", "/v1/charges", dict)


def _refunds(state: State, params: Json) -> Json:
    found = newest_first(state.refunds, params, "charge payment_intent")
    return listed(found, params, "refund", "/v1/refunds", dict)


def _disputes(state: State, params: Json) -> Json:
    found = newest_first(state.disputes, params, "charge payment_intent")
    return listed(found, params, "dispute", "/v1/disputes", dict)
