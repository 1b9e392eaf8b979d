"""Every error that Tollgate raises on purpose.

    TollgateError
    ├── BadRequest           400  MalformedBody, IdempotencyKeyMissing, IdempotencyKeyMalformed,
    │                             WebhookMalformed, SignatureRefused, WrongMode,
    │                             InvalidRequest, InvalidScope, UnauthorizedClient,
    │                             UnsupportedGrantType
    ├── Unauthenticated      401  CredentialsMissing, CredentialsRefused, InvalidClient
    ├── Forbidden            403
    ├── NotFound             404
    ├── MethodNotAllowed     405
    ├── Conflict             409  IdempotencyKeyInUse, ConcurrentChange, AlreadyExists,
    │                             TooManyKeys, NotCapturable, NotCancelable, NotRefundable,
    │                             NotInReview, AlreadyCanceled, NotCanceled, NotPausable,
    │                             NotPaused, NotChangeable, BillClosed
    ├── ContentTooLarge      413
    ├── Unprocessable        422  InvalidFields, IdempotencyKeyReused, UnknownPlan, PlanNotPriced,
    │                             UnsupportedPsp, UnsupportedCurrency, UnsupportedMethod,
    │                             UnsupportedByPsp, UnsupportedAmount, CustomerIncomplete,
    │                             NoSavedMethod, ReturnUrlNotAllowed, RefusedByPsp, SamePlan,
    │                             OtherProduct, NothingToCharge
    ├── TooManyRequests      429
    ├── InternalError        500  ConstraintViolated, DecryptionFailed
    └── Unavailable          503  Misconfigured, DatabaseUnavailable, PspUnavailable

The docstring of a class is the message that a caller reads; the public `code` is the class name
in snake case. The parents decide the HTTP status (http/problems.py).
"""

import re
from dataclasses import dataclass

from tollgate.domain.rate import Allowance


@dataclass(frozen=True)
class FieldError:
    """One refused field: where it is (`customer.email`) and what is wrong, never its value."""

    path: str
    message: str


class TollgateError(Exception):
    """Something went wrong."""

    def __init__(self, detail: str | None = None, errors: tuple[FieldError, ...] = ()) -> None:
        self.detail = detail or (type(self).__doc__ or "")
        self.errors = errors
        super().__init__(self.detail)

    @property
    def code(self) -> str:
        """The public name of this error: `IdempotencyKeyInUse` is `idempotency_key_in_use`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()


class BadRequest(TollgateError):
    """The request can't be read."""


class MalformedBody(BadRequest):
    """The body is not valid JSON in UTF-8. Send one JSON object."""


class IdempotencyKeyMissing(BadRequest):
    """Send an Idempotency-Key header: a new one for each new payment, the same one to retry."""


class IdempotencyKeyMalformed(BadRequest):
    """An Idempotency-Key is 1 to 255 printable ASCII characters."""


class WebhookMalformed(BadRequest):
    """The event's signature is right, but its body is not an event of this PSP."""


class SignatureRefused(BadRequest):
    """The signature is missing, wrong or too old. Check the endpoint's webhook secret."""


class WrongMode(BadRequest):
    """This event is of the other mode (test or live) than this deployment."""


class InvalidRequest(BadRequest):
    """This is no request for a token: send grant_type=client_credentials and a key (RFC 6749)."""


class InvalidScope(BadRequest):
    """The key does not have this scope, or no caller of this kind can."""


class UnauthorizedClient(BadRequest):
    """Only an app's key can ask for a token of one of its clients."""


class UnsupportedGrantType(BadRequest):
    """The only grant_type here is client_credentials."""


class Unauthenticated(TollgateError):
    """Authenticate with `Authorization: Bearer <api key or token>`."""


class CredentialsMissing(Unauthenticated):
    """No credentials were sent. Authenticate with `Authorization: Bearer <api key or token>`."""


class CredentialsRefused(Unauthenticated):
    """These credentials are unknown, expired, revoked, or of the other mode (test or live)."""


class InvalidClient(Unauthenticated):
    """Refused. client_id is the id in the middle of the key, client_secret the whole key."""


class Forbidden(TollgateError):
    """These credentials may not do this: another role or scope is needed."""


class NotFound(TollgateError):
    """There is nothing here under this id."""


class MethodNotAllowed(TollgateError):
    """This function does not answer this HTTP method."""

    def __init__(self, allowed: tuple[str, ...]) -> None:
        super().__init__(f"Use {' or '.join(allowed)}.")
        self.allowed = allowed


class Conflict(TollgateError):
    """Another request is changing this at the same time. Try again."""


class IdempotencyKeyInUse(Conflict):
    """A request with this Idempotency-Key is still in progress. Retry it in a few seconds."""


class ConcurrentChange(Conflict):
    """Another request changed this at the same time. Read it again, then retry."""


class AlreadyExists(Conflict):
    """There is one of this name already."""


class TooManyKeys(Conflict):
    """Two keys of this name are living: revoke one, or choose another name."""


class NotCapturable(Conflict):
    """Only an authorized payment can be captured, and one that is being canceled can't."""


class NotCancelable(Conflict):
    """This payment can't be canceled any more. Read it again; refund what was paid."""


class NotRefundable(Conflict):
    """There is nothing of this payment to give back."""


class AlreadyCanceled(Conflict):
    """This subscription ends with its period already. Cancel at now, or never."""


class NotCanceled(Conflict):
    """This subscription has no end to take back. If it is over, create a new one."""


class NotPausable(Conflict):
    """Only a subscription that has free or paid time left, and is not paused, can be paused."""


class NotPaused(Conflict):
    """This subscription is not paused. Read it again: it may have resumed."""


class NotChangeable(Conflict):
    """The plan of this subscription can't be changed just now."""


class BillClosed(Conflict):
    """This is paid already, or not asked for any more."""


class NotInReview(Conflict):
    """This payment waits for no decision."""


class ContentTooLarge(TollgateError):
    """The body is larger than this function accepts."""


class Unprocessable(TollgateError):
    """The request is well formed, but it can't be done."""


class InvalidFields(Unprocessable):
    """Some fields are missing, unknown or out of range. `errors` names each."""


class IdempotencyKeyReused(Unprocessable):
    """This Idempotency-Key was used for another request. Use a new key for a new request."""


class UnknownPlan(Unprocessable):
    """This app has no such plan."""


class PlanNotPriced(Unprocessable):
    """This plan has no price in this currency."""


class SamePlan(Unprocessable):
    """The subscription is on this plan already."""


class OtherProduct(Unprocessable):
    """This plan is of another product: create a subscription to it."""


class NothingToCharge(Unprocessable):
    """What is left is worth as much as a period of this plan. Use proration: credit or none."""


class UnsupportedPsp(Unprocessable):
    """This deployment does not take payments through this PSP."""


class UnsupportedCurrency(Unprocessable):
    """The PSP does not take this currency."""


class UnsupportedMethod(Unprocessable):
    """The PSP does not take this method."""


class UnsupportedByPsp(Unprocessable):
    """The PSP can't do this."""


class CustomerIncomplete(Unprocessable):
    """The PSP must know more of who pays. `errors` names the fields."""


class NoSavedMethod(Unprocessable):
    """This client has let us keep nothing to charge. Let the client pay with save_method first."""


class UnsupportedAmount(Unprocessable):
    """The PSP can't charge this amount in this currency."""


class ReturnUrlNotAllowed(Unprocessable):
    """The origin of `return_url` or `cancel_url` is not on the app's list."""


class RefusedByPsp(Unprocessable):
    """The PSP refused this."""


class TooManyRequests(TollgateError):
    """This key or this app calls too often. Wait as Retry-After says."""

    def __init__(self, allowance: Allowance) -> None:
        super().__init__()
        self.allowance = allowance


class InternalError(TollgateError):
    """Something went wrong here. Retry with the same Idempotency-Key; nothing is lost."""


class ConstraintViolated(InternalError):
    """The database refused what would have broken one of its rules. Nothing was changed."""

    def __init__(self, constraint: str = "") -> None:
        super().__init__()
        self.constraint = constraint


class DecryptionFailed(InternalError):
    """A stored field can't be read: its key is not known here, or it was changed or moved."""


class Unavailable(TollgateError):
    """Tollgate can't answer just now. Retry with the same Idempotency-Key."""


class Misconfigured(Unavailable):
    """This deployment lacks a setting."""


class DatabaseUnavailable(Unavailable):
    """The database can't be reached just now. Nothing is lost: retry the same request."""


class PspUnavailable(Unavailable):
    """The PSP can't be reached just now. Retry the same request."""
