"""Bugs where money meets a PSP, or a PSP meets us."""

from tests.seeded_bugs.bug import Bug

_PSP = "shared/tollgate/psp"
_SENDING = "shared/tollgate/operations/sending.py"
_SETTLEMENT = "shared/tollgate/operations/settlement.py"
_WEBHOOKS = "shared/tollgate/operations/webhooks.py"

PSP_BUGS = (
    Bug(
        "what the client approved is taken before it is compared",
        _SETTLEMENT,
        "        and mismatch(payment, outcome) is None\n",
        "",
        ("tests/operations/test_taking.py",),
    ),
    Bug(
        "what was canceled is taken all the same",
        _SETTLEMENT,
        "        and payment.cancel_asked_at is None\n",
        "",
        ("tests/operations/test_taking.py",),
    ),
    Bug(
        "what a PSP can't do is sent to it",
        _SENDING,
        "    check_supported(payment.psp, psp.capabilities, order)\n",
        "",
        ("tests/operations/test_routing.py",),
    ),
    Bug(
        "a PSP that is down is passed over for a payment that it may have taken",
        _SENDING,
        "    psp = context.psp(payment.psp)\n    if again and _is_forgotten(context, psp, payment",
        "    down = breakers.is_down(context.cache, payment.psp)\n"
        '    psp = context.psp("jenga" if down else payment.psp)\n'
        "    if again and _is_forgotten(context, psp, payment",
        ("tests/operations/test_routing.py",),
    ),
    Bug(
        "a refund that people decide about is asked for twice",
        _SENDING,
        "(by is RefundBy.REQUEST and again)",
        "(by is RefundBy.REQUEST and False)",
        ("tests/operations/test_refunds_by_hand.py",),
    ),
    Bug(
        "a callback of an unknown reference is looked up at the PSP",
        _WEBHOOKS,
        "    if payment is None or payment.psp != psp:\n",
        "    if payment is None and hint.psp_reference:\n"
        "        context.psp(psp).fetch(hint.psp_reference)\n"
        "    if payment is None or payment.psp != psp:\n",
        ("tests/operations/test_callbacks.py",),
    ),
    Bug(
        "each container fetches a token of its own",
        "shared/tollgate/storage/psp_tokens.py",
        "        sealed = self.cache.run(_GET, _key(name))\n",
        "        sealed = None\n",
        ("tests/storage/test_psp_tokens.py",),
    ),
    Bug(
        "Stripe is sent shillings of Uganda as they are counted elsewhere",
        f"{_PSP}/stripe/amounts.py",
        '"UGX": 2}',
        '"UGX": 0}',
        ("tests/psp/test_stripe_amounts.py",),
    ),
    Bug(
        "an order of PayPal that is COMPLETED counts as paid whatever its capture says",
        f"{_PSP}/paypal/captures.py",
        '    "DECLINED": PaymentStatus.FAILED,\n',
        '    "DECLINED": PaymentStatus.SUCCEEDED,\n',
        ("tests/psp/test_paypal_fetch.py", "tests/psp/test_paypal_asking.py"),
    ),
    Bug(
        "a forged address of PayPal's certificate is read",
        f"{_PSP}/paypal/certificates.py",
        "        if _AT_PAYPAL.fullmatch(url):\n",
        "        if _AT_PAYPAL.search(url) or True:\n",
        ("tests/psp/test_paypal_certificates.py", "tests/psp/test_paypal_signature.py"),
    ),
    Bug(
        "any token in the path is Pesapal's",
        f"{_PSP}/pesapal/events.py",
        '    if not hmac.compare_digest(given.encode(errors="replace"), expected.encode()):\n',
        "    if not given:\n",
        ("tests/psp/test_pesapal_events.py",),
    ),
    Bug(
        "a status of Pesapal that nobody documented is a success",
        f"{_PSP}/pesapal/status.py",
        "    status = _STATUSES.get(transaction.code)\n",
        "    status = _STATUSES.get(transaction.code, PaymentStatus.SUCCEEDED)\n",
        ("tests/psp/test_pesapal_status.py",),
    ),
    Bug(
        "Jenga's password may be anything",
        f"{_PSP}/jenga/events.py",
        "    if not hmac.compare_digest(given, expected.encode()):\n",
        "    if not given:\n",
        ("tests/psp/test_jenga_events.py",),
    ),
    Bug(
        "what is signed for Jenga is not what is sent",
        f"{_PSP}/jenga/push.py",
        "(reference.text, CURRENCY, number, amount)",
        '(reference.text, CURRENCY, number, f"{amount}.00")',
        ("tests/psp/test_jenga_push.py",),
    ),
)
