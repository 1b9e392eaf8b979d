"""The adapter of the PSP in ledger_server.py."""

import hmac
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tollgate.domain.callback import Callback
from tollgate.domain.capabilities import Capabilities
from tollgate.domain.errors import PspUnavailable, SignatureRefused
from tollgate.domain.money import Money
from tollgate.domain.order import Order, RefundOrder
from tollgate.domain.outcome import UNKNOWN, Hint, Movement, Outcome, RefundOutcome
from tollgate.domain.payment import Failure, PaymentStatus
from tollgate.domain.refund import RefundStatus

_SECRET = b"signs the events"
_STATES = {
    "open": PaymentStatus.REQUIRES_ACTION,
    "paid": PaymentStatus.SUCCEEDED,
    "declined": PaymentStatus.FAILED,
    "expired": PaymentStatus.EXPIRED,
}


def signature(body: bytes) -> str:
    """What an event is signed with."""
    return hmac.new(_SECRET, body, "sha256").hexdigest()


@dataclass(frozen=True)
class LedgerPsp:
    """As psp/protocol.py says. A connection a request: nothing is shared with a forked child."""

    port: int
    capabilities: Capabilities

    def ask(self, do: str, **fields: Any) -> dict[str, Any] | None:
        """One request; None where the connection was cut before the answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(json.dumps({"do": do, **fields}).encode() + b"\n")
            with connection.makefile("rb") as stream:
                line = stream.readline()
        answer: dict[str, Any] | None = json.loads(line) if line else None
        if answer is not None and answer.get("unavailable"):
            raise PspUnavailable
        return answer

    def check(self, order: Order) -> None:
        """Takes any order."""

    def start(self, order: Order) -> Outcome:
        """A charge, or a page."""
        charge = self.ask(
            "start",
            key=order.idempotency_key,
            payment_id=order.payment_id,
            amount=order.money.amount_minor,
            currency=order.money.currency,
            description=order.description,
        )
        return UNKNOWN if charge is None else _outcome(charge)

    def find(
        self, payment_id: str, _created_at: datetime, _off_session: bool = False
    ) -> Outcome | None:
        """What is in the books under our reference."""
        charge = self._read("find", payment_id=payment_id)
        return None if "unknown" in charge else _outcome(charge)

    def fetch(self, psp_reference: str) -> Outcome:
        """What is in the books under this reference of theirs."""
        return _outcome(self._read("fetch", reference=psp_reference))

    def capture(self, psp_reference: str, money: Money, idempotency_key: str) -> Failure | None:
        """Money is taken at once here."""
        return Failure("nothing_to_capture", "There is nothing to capture.")

    def cancel(self, psp_reference: str, idempotency_key: str) -> Failure | None:
        """Closes the page."""
        return _refusal(self.ask("cancel", reference=psp_reference))

    def refund(self, order: RefundOrder) -> Failure | None:
        """Gives money back."""
        asked = self.ask(
            "refund",
            key=order.idempotency_key,
            refund_id=order.refund_id,
            charge=order.psp_reference,
            amount=order.money.amount_minor,
            currency=order.money.currency,
            reason=order.reason,
        )
        return _refusal(asked)

    def list_movements(self, since: datetime, until: datetime) -> Iterator[Movement]:
        """The judge reads the books themselves."""
        return iter(())

    def read_event(self, callback: Callback, now: datetime) -> Hint:
        """An event is its own JSON."""
        given = callback.headers.get("signature", "")
        if not hmac.compare_digest(given, signature(callback.body)):
            raise SignatureRefused
        return Hint(**json.loads(callback.body))

    def _read(self, do: str, **fields: Any) -> dict[str, Any]:
        answer = self.ask(do, **fields)
        if answer is None:
            raise PspUnavailable
        return answer


def _refusal(answer: dict[str, Any] | None) -> Failure | None:
    return Failure(answer["refused"], "No.") if answer and "refused" in answer else None


def _outcome(charge: dict[str, Any]) -> Outcome:
    status = _STATES[charge["state"]]
    is_open = status is PaymentStatus.REQUIRES_ACTION
    is_declined = status is PaymentStatus.FAILED
    return Outcome(
        status,
        psp_reference=charge["reference"],
        reference=charge["payment_id"],
        money=Money(charge["amount"], charge["currency"]),
        livemode=False,
        next_action={"type": "redirect", "url": "https://psp.example/page"} if is_open else None,
        failure=Failure("card_declined", "Declined.") if is_declined else None,
        refunds=tuple(
            RefundOutcome(
                refund["reference"],
                refund["refund_id"],
                Money(refund["amount"], refund["currency"]),
                RefundStatus.SUCCEEDED,
            )
            for refund in charge.get("refunds", ())
        ),
    )
