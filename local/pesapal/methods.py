"""What a client can choose on the page, as Pesapal names it afterwards."""

import string
from dataclasses import dataclass

from local.standin.identifiers import CAPITALS_AND_DIGITS, Identifiers


@dataclass(frozen=True)
class Method:
    """`name` and `account` are what the status says; `label` is what the page says."""

    name: str
    label: str
    account: str
    failure_code: str
    is_mobile_money: bool = True

    def confirmation_code(self, ids: Identifiers) -> str:
        """The receipt of the card's processor, or of the mobile network."""
        if self.is_mobile_money:
            return ids.new("S", 9, CAPITALS_AND_DIGITS)
        return ids.new("65130", 17, string.digits)


CARD = Method("Visa", "Pay by card", "476173**0010", "card_declined", is_mobile_money=False)
METHODS = {
    "mpesa": Method("MpesaKE", "Pay by M-Pesa", "2547xxx678", "request_terminated_by_user"),
    "airtel": Method("AirtelKE", "Pay by Airtel Money", "2547xxx123", "insufficient_balance"),
    "card": CARD,
}

MOBILE_MONEY = frozenset(one.name for one in METHODS.values() if one.is_mobile_money)
