"""What happens to a payment with no request of ours, in the words of every PSP's stand-in.

POST /_standin/payments/{psp_reference}/pay       the client pays, as on the page
POST /_standin/payments/{psp_reference}/decline   the client's card is declined
POST /_standin/payments/{psp_reference}/expire    its time is over: the page's, or the hold's
POST /_standin/payments/{psp_reference}/refund    {"amount"?} somebody refunds in the dashboard
POST /_standin/payments/{psp_reference}/dispute   {"amount"?, "inquiry"?} the client's bank
POST /_standin/payments/{psp_reference}/say       {"state"?} the API says this from now on
"""

from collections.abc import Callable

from pydantic import BaseModel, ConfigDict, Field
from starlette.routing import Route

from local.standin.happenings import Happening, Happenings
from local.stripe.banks import Banks, Nothing
from local.stripe.cards import GOOD_CARD, REFUSED_CARD
from local.stripe.errors import Json, no_such, unexpected_state
from local.stripe.events import Cause
from local.stripe.intents import Intents
from local.stripe.payments import intent_of, payment_line
from local.stripe.sessions import Sessions
from local.stripe.store import State

_BY_TIME = Cause()


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid")

    state: str | None = Field(default=None, min_length=1)


class PaymentHappenings:
    """The same for a payment on Stripe's page and for one on the app's own."""

    def __init__(self, state: State, sessions: Sessions, intents: Intents, banks: Banks) -> None:
        self._state = state
        self._sessions = sessions
        self._intents = intents
        self._banks = banks

    def routes(self, happenings: Happenings) -> list[Route]:
        verbs: dict[str, Happening] = {
            "pay": _plain(self._pay),
            "decline": _plain(self._decline),
            "expire": _plain(self._expire),
            "refund": lambda reference, body: self._banks.refund(self._charge(reference), body),
            "dispute": lambda reference, body: self._banks.dispute(self._charge(reference), body),
            "say": self._say,
        }
        return [
            happenings.route(f"payments/{{id}}/{verb}", self._of_payment(happening))
            for verb, happening in verbs.items()
        ]

    def _of_payment(self, happening: Happening) -> Happening:
        """Answers with the payment as it then stands, as the ledger has it."""

        def happen(reference: str, body: bytes) -> Json:
            is_ours = reference not in self._state.session_of_intent
            if not is_ours or not (
                reference in self._state.sessions or reference in self._state.payment_intents
            ):
                raise no_such("payment", reference, "id", status=404)
            happening(reference, body)
            return payment_line(self._state, reference)

        return happen

    def _pay(self, reference: str) -> None:
        if reference in self._state.sessions:
            self._sessions.pay(reference)
        else:
            self._intents.client_confirms(reference, GOOD_CARD)

    def _decline(self, reference: str) -> None:
        if reference in self._state.sessions:
            self._sessions.decline(reference)
        else:
            self._intents.client_confirms(reference, REFUSED_CARD)

    def _expire(self, reference: str) -> None:
        intent = intent_of(self._state, reference)
        if intent is not None and intent["status"] == "requires_capture":
            self._intents.end(intent, "automatic", _BY_TIME)
        elif reference in self._state.sessions:
            self._sessions.expire(reference, _BY_TIME)
        else:
            raise unexpected_state("Stripe ends a PaymentIntent by itself only where it is held.")

    def _charge(self, reference: str) -> str:
        intent = intent_of(self._state, reference)
        charge_id = (intent or {}).get("latest_charge")
        if charge_id is None:
            raise unexpected_state("Nothing was taken of this payment.")
        return str(charge_id)

    def _say(self, reference: str, body: bytes) -> Json:
        said = _Said.model_validate_json(body)
        if said.state is None:
            self._state.said.pop(reference, None)
        else:
            self._state.said[reference] = said.state
        return {}


def _plain(change: Callable[[str], None]) -> Happening:
    def happening(reference: str, body: bytes) -> Json:
        Nothing.model_validate_json(body)
        change(reference)
        return {}

    return happening
