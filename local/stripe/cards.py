"""Stripe's test payment methods, and what charging each leads to (docs.stripe.com/testing)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Decline:
    """Why a charge fails. `needs_client` is for one the client could authenticate."""

    code: str
    decline_code: str
    message: str
    needs_client: bool = False


DECLINED = Decline("card_declined", "generic_decline", "Your card was declined.")
NO_FUNDS = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.")
NOT_AUTHENTICATED = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
    needs_client=True,
)

GOOD_CARD = "pm_card_visa"
REFUSED_CARD = "pm_card_visa_chargeDeclined"
ASKING_CARD = "pm_card_authenticationRequired"

OUTCOMES: dict[str, Decline | None] = {
    GOOD_CARD: None,
    "pm_card_mastercard": None,
    REFUSED_CARD: DECLINED,
    "pm_card_visa_chargeDeclinedInsufficientFunds": NO_FUNDS,
    "pm_card_chargeCustomerFail": DECLINED,
    ASKING_CARD: NOT_AUTHENTICATED,
}
