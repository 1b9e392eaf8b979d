"""The API objects, with the fields the pinned API version gives them. Amounts in minor units."""

from local.stripe.cards import Decline
from local.stripe.errors import Json

_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


def payment_intent(intent_id: str, secret: str, created: int, amount: int, currency: str) -> Json:
    """A PaymentIntent with nothing paid yet (docs.stripe.com/api/payment_intents/object)."""
    absent = (
        "application application_fee_amount canceled_at cancellation_reason customer "
        "customer_account description excluded_payment_method_types last_payment_error "
        "latest_charge next_action on_behalf_of payment_method "
        "payment_method_configuration_details processing receipt_email review "
        "setup_future_usage shipping statement_descriptor statement_descriptor_suffix "
        "transfer_data transfer_group"
    )
    return dict.fromkeys(absent.split()) | {
        "id": intent_id,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "always"},
        "capture_method": "automatic_async",
        "client_secret": secret,
        "confirmation_method": "automatic",
        "created": created,
        "currency": currency,
        "livemode": False,
        "metadata": {},
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
    }


def customer(customer_id: str, created: int) -> Json:
    """A Customer of whom nothing is known (docs.stripe.com/api/customers/object)."""
    absent = (
        "address currency customer_account default_source description discount email name phone "
        "shipping test_clock"
    )
    invoicing = ("custom_fields", "default_payment_method", "footer", "rendering_options")
    return dict.fromkeys(absent.split()) | {
        "id": customer_id,
        "object": "customer",
        "balance": 0,
        "created": created,
        "delinquent": False,
        "invoice_prefix": customer_id[-8:].upper(),
        "invoice_settings": dict.fromkeys(invoicing),
        "livemode": False,
        "metadata": {},
        "next_invoice_sequence": 1,
        "preferred_locales": [],
        "tax_exempt": "none",
    }


def checkout_session(session_id: str, created: int, amount: int, currency: str) -> Json:
    """An open hosted Session in payment mode (docs.stripe.com/api/checkout/sessions/object)."""
    absent = (
        "after_expiration allow_promotion_codes billing_address_collection cancel_url "
        "client_reference_id client_secret collected_information consent consent_collection "
        "currency_conversion customer customer_account customer_creation customer_details "
        "customer_email discounts integration_identifier invoice invoice_creation locale "
        "managed_payments origin_context payment_intent payment_link payment_method_collection "
        "payment_method_configuration_details permissions recovered_from "
        "saved_payment_method_options setup_intent shipping_address_collection shipping_cost "
        "submit_type subscription success_url url wallet_options"
    )
    texts = "after_submit shipping_address submit terms_of_service_acceptance"
    return dict.fromkeys(absent.split()) | {
        "id": session_id,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": False},
        "amount_subtotal": amount,
        "amount_total": amount,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "created": created,
        "currency": currency,
        "custom_fields": [],
        "custom_text": dict.fromkeys(texts.split()),
        "expires_at": created + 86_400,
        "livemode": False,
        "metadata": {},
        "mode": "payment",
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "phone_number_collection": {"enabled": False},
        "shipping_options": [],
        "status": "open",
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
    }


def charge(charge_id: str, created: int, intent: Json, decline: Decline | None) -> Json:
    """A Charge for the whole of an intent, made or refused (docs.stripe.com/api/charges/object)."""
    absent = (
        "application application_fee application_fee_amount balance_transaction "
        "calculated_statement_descriptor failure_balance_transaction on_behalf_of receipt_number "
        "receipt_url review source_transfer transfer_data transfer_group"
    )
    of_the_intent = (
        "amount currency customer description metadata payment_method receipt_email shipping "
        "statement_descriptor statement_descriptor_suffix"
    )
    contact = dict.fromkeys(("email", "name", "phone", "tax_id"))
    failure: Json = {"failure_code": None, "failure_message": None}
    if decline is not None:
        failure = {"failure_code": decline.code, "failure_message": decline.message}
    return (
        dict.fromkeys(absent.split())
        | {name: intent[name] for name in of_the_intent.split()}
        | failure
        | {
            "id": charge_id,
            "object": "charge",
            "amount_captured": 0,
            "amount_refunded": 0,
            "billing_details": {"address": dict.fromkeys(_ADDRESS), **contact},
            "captured": False,
            "created": created,
            "disputed": False,
            "fraud_details": {},
            "livemode": False,
            "metadata": dict(intent["metadata"]),
            "outcome": _outcome(decline),
            "paid": decline is None,
            "payment_intent": intent["id"],
            "payment_method_details": {"type": "card", "card": _card()},
            "refunded": False,
            "status": "succeeded" if decline is None else "failed",
        }
    )


def balance_transaction(entry_id: str, created: int, source: Json, amount: int, fee: int) -> Json:
    """An entry in the account's books (docs.stripe.com/api/balance_transactions/object)."""
    kind = source["object"]
    detail = {"amount": fee, "application": None, "currency": source["currency"]}
    return {
        "id": entry_id,
        "object": "balance_transaction",
        "amount": amount,
        "available_on": created,
        "balance_type": "payments",
        "created": created,
        "currency": source["currency"],
        "description": None,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [detail | {"description": "fees", "type": "stripe_fee"}] if fee else [],
        "net": amount - fee,
        "reporting_category": kind,
        "source": source["id"],
        "status": "available",
        "type": kind,
    }


def refund(refund_id: str, created: int, of: Json, amount: int) -> Json:
    """A Refund of a charge, in no balance yet (docs.stripe.com/api/refunds/object).

    What it has only at times, such as `failure_reason`, it has not at others.
    """
    absent = (
        "balance_transaction customer customer_account payment_method reason receipt_number "
        "source_transfer_reversal transfer_reversal"
    )
    return dict.fromkeys(absent.split()) | {
        "id": refund_id,
        "object": "refund",
        "amount": amount,
        "charge": of["id"],
        "created": created,
        "currency": of["currency"],
        "destination_details": {"type": "card", "card": {"type": "refund"}},
        "metadata": {},
        "payment_intent": of["payment_intent"],
        "status": "succeeded",
    }


def dispute(dispute_id: str, created: int, of: Json, amount: int) -> Json:
    """A Dispute that awaits the merchant's evidence (docs.stripe.com/api/disputes/object)."""
    return {
        "id": dispute_id,
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": of["id"],
        "created": created,
        "currency": of["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {},
        "evidence_details": {
            "due_by": created + 7 * 86_400,
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "network_reason_code": None,
        "payment_intent": of["payment_intent"],
        "payment_method_details": {"type": "card", "card": {"brand": "visa"}},
        "reason": "fraudulent",
        "status": "needs_response",
    }


def _outcome(decline: Decline | None) -> Json:
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "declined_by_network" if decline else "approved_by_network",
        "reason": decline.decline_code if decline else None,
        "risk_level": "normal",
        "seller_message": "The bank declined." if decline else "Payment complete.",
        "type": "issuer_declined" if decline else "authorized",
    }


def _card() -> Json:
    checks = ("address_line1_check", "address_postal_code_check", "cvc_check")
    return {
        "amount_authorized": None,
        "authorization_code": None,
        "brand": "visa",
        "checks": dict.fromkeys(checks),
        "country": "US",
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": None,
        "funding": "credit",
        "installments": None,
        "last4": "4242",
        "mandate": None,
        "network": "visa",
        "network_token": {"used": False},
        "network_transaction_id": None,
        "regulated_status": None,
        "three_d_secure": None,
        "wallet": None,
    }
