"""The pay page, in each state that a bill can be in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from typing import Any

from tollgate.domain.billing import Interval
from tollgate.domain.card_numbers import has_card_number
from tollgate.domain.money import Money
from tollgate.domain.payment import Method
from tollgate.domain.subscription import Language
from tollgate.pages.layout import ALERT_ID, alert, facts, link, page, paragraph, section
from tollgate.pages.texts import TEXTS, amount, day, length, method_name, say

FIELD_TYPES: Mapping[str, str] = {"phone": "tel", "email": "email", "name": "text"}
"""What a form may ask of the client, and how a browser takes it."""
_MAX_LENGTH = 255


@dataclass(frozen=True)
class Due:
    """What is asked, of whom it is asked for, and in which language."""

    app: str
    product: str
    plan: str
    interval: Interval
    money: Money
    due_on: date
    is_change: bool
    language: Language


@dataclass(frozen=True)
class Way:
    """A way to pay: `prompts` the client's phone, or can keep what it pays with."""

    method: Method
    prompts: bool = False
    saves: bool = False


@dataclass(frozen=True)
class Sent:
    """A form that can't be taken as it was sent. `asks` are the fields that its PSP wants besides;
    `wrong` are those that the page's alert speaks of."""

    method: Method
    typed: Mapping[str, str]
    asks: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()

    def again(self, name: str) -> str:
        """What was typed into this field, to be typed no second time. Not what may be the number of
        a card, nor what no page can hold."""
        text = self.typed.get(name, "")[:_MAX_LENGTH]
        return "" if has_card_number(text) or not text.isprintable() else text


def due_page(
    due: Due,
    ways: Sequence[Way],
    *,
    after: str,
    phone_digits: str | None = None,
    problem: str | None = None,
    sent: Sent | None = None,
) -> str:
    """What is due, and a form for each way to pay it. `after` is the last try that was known when
    the page was made; `problem` names a text."""
    language = due.language
    known = _hidden("amount", shown_amount(due.money)) + _hidden("after", after)
    forms = "".join(
        _form(
            way, language, known, phone_digits, sent if sent and sent.method is way.method else None
        )
        for way in ways
    )
    how = (
        section(say("how", language), forms, level=2)
        if ways
        else section(say("no_way", language), level=2)
    )
    body = _asked(due, alert(say(problem, language) if problem else None)) + how
    return page(language, say("title", language, app=due.app), body, app=due.app)


def shown_amount(money: Money) -> str:
    """Which amount a page asked for, as its forms send it back."""
    return f"{money.amount_minor} {money.currency}"


def waiting_page(
    due: Due, next_action: Mapping[str, Any] | None, *, refresh_seconds: int | None, is_back: bool
) -> str:
    """A payment is under way: what the client has to do for it, and the state that refreshes.
    `is_back`: from the PSP's page, and may have paid there."""
    language, kind = due.language, (next_action or {}).get("type")
    heading, parts = say("waiting", language), list[str]()
    if kind == "await_push":
        heading = say("look_at_phone", language)
        digits = (next_action or {}).get("phone")
        known = say("enter_pin", language, digits=str(digits).lstrip("…")) if digits else None
        parts.append(paragraph(known or say("enter_pin_somewhere", language)))
    elif kind in ("redirect", "form_post"):
        parts.append(paragraph(say("go_on_text", language)))
        parts.append(_onward(next_action or {}, language))
    else:
        parts.append(paragraph(say("being_confirmed", language)))
    if kind == "form_post" and not is_back:
        refresh_seconds = None  # it would take the form away while the client reaches for it
    if refresh_seconds is not None:
        parts.append(f'<p class="hint">{escape(say("refreshes", language))}</p>')
    parts.append(link(say("look_again", language), language))
    if kind is not None:
        parts.append(link(say("other_way", language), language, other=True))
    status = f'<div role="status">{section(heading, *parts)}</div>'
    body = status + _asked(due, level=2)
    return page(language, heading, body, app=due.app, refresh_seconds=refresh_seconds)


def review_page(due: Due) -> str:
    """A person must look at the payment."""
    heading = say("in_review", due.language)
    body = section(heading, paragraph(say("in_review_text", due.language))) + _asked(due, level=2)
    return page(due.language, heading, body, app=due.app)


@dataclass(frozen=True)
class Receipt:
    """What was paid, when, under which reference of ours, and until when that lasts; or that the
    client has the money back."""

    money: Money
    paid_on: date
    reference: str
    paid_through: date | None
    is_given_back: bool = False


def receipt_page(due: Due, receipt: Receipt) -> str:
    """It is paid, or was."""
    language = due.language
    rows = [
        (say("paid", language), amount(receipt.money)),
        (say("for", language), _what(due)),
        (say("paid_on", language), day(receipt.paid_on, language)),
    ]
    if receipt.paid_through is not None:
        rows.append((say("paid_through", language), day(receipt.paid_through, language)))
    rows.append((say("reference", language), receipt.reference))
    heading = say("given_back" if receipt.is_given_back else "receipt", language)
    then = say("given_back_text" if receipt.is_given_back else "close", language)
    parts = (facts(rows), f'<p class="hint">{escape(then)}</p>')
    kind = "" if receipt.is_given_back else "done"
    body = f'<div role="status">{section(heading, *parts, kind=kind)}</div>'
    return page(language, heading, body, app=due.app)


def plain_page(language: Language, name: str, app: str = "", *, text: str | None = None) -> str:
    """A page that says one thing, such as `over`, `unknown`, `busy` or `unreadable`; below it the
    text of that name, or another one."""
    heading = say(name, language)
    body = section(heading, paragraph(say(text or f"{name}_text", language)))
    return page(language, heading, body, app=app)


def reason(code: str | None) -> str:
    """The text for a payment that failed with this code: PSPs' own words are shown to nobody."""
    return code if code in _KNOWN_REASONS and code in TEXTS else "failed"


_KNOWN_REASONS = (
    "insufficient_funds",
    "expired_card",
    "authentication_required",
    "psp_unavailable",
)


def _asked(due: Due, problem: str = "", level: int = 1) -> str:
    language = due.language
    return section(
        say("to_pay", language),
        problem,
        f'<p class="sum">{escape(amount(due.money))}</p>',
        facts(
            [
                (say("for", language), _what(due)),
                (say("due", language), day(due.due_on, language)),
            ]
        ),
        level=level,
    )


def _what(due: Due) -> str:
    if due.is_change:
        return say("change_to", due.language, plan=due.plan)
    return f"{due.product}, {length(due.interval, due.language)}"


def _form(
    way: Way, language: Language, known: str, phone_digits: str | None, sent: Sent | None
) -> str:
    """`known` are the hidden fields: what the page was made of."""
    name = way.method.value
    asks = {"phone"} if way.prompts else set()
    if sent is not None:
        asks.update(sent.asks, sent.typed)
    fields = [
        _field(field, way, language, phone_digits, sent) for field in FIELD_TYPES if field in asks
    ]
    if way.saves:
        checked = " checked" if sent is not None and sent.typed.get("save") == "yes" else ""
        fields.append(
            f'<label class="check"><input type="checkbox" name="save" value="yes"{checked}>'
            f"<span>{escape(say('save', language))}</span></label>"
        )
    text = say("pay_by", language, method=method_name(way.method, language))
    return (
        f'<form method="post">{known}{"".join(fields)}'
        f'<button name="method" value="{name}">{escape(text)}</button></form>'
    )


def _field(
    name: str, way: Way, language: Language, phone_digits: str | None, sent: Sent | None
) -> str:
    field_id, hint = f"{way.method}-{name}", _hint(name, language, phone_digits)
    hint_id = f"{field_id}-hint" if hint else ""
    is_wrong = sent is not None and name in sent.wrong
    described = " ".join(filter(None, (hint_id, ALERT_ID if is_wrong else "")))
    attributes = {
        "id": field_id,
        "name": name,
        "type": FIELD_TYPES[name],
        "autocomplete": "tel" if name == "phone" else name,
        "maxlength": str(_MAX_LENGTH),
        "value": sent.again(name) if sent is not None else "",
        "aria-invalid": "true" if is_wrong else "",
        "aria-describedby": described,
    }
    told = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items() if value)
    label = f'<label for="{field_id}">{escape(say(name, language))}</label>'
    below = f'<p class="hint" id="{hint_id}">{escape(hint)}</p>' if hint else ""
    return f"{label}<input{told}>{below}"


def _hint(name: str, language: Language, phone_digits: str | None) -> str:
    if name != "phone":
        return ""
    if phone_digits is None:
        return say("phone_hint", language)
    return say("phone_known", language, digits=phone_digits)


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'


def _onward(next_action: Mapping[str, Any], language: Language) -> str:
    """The way to the PSP's page: a link, or a form that it wants to be sent."""
    text, url = escape(say("go_on", language)), escape(str(next_action["url"]))
    if next_action["type"] == "redirect":
        return f'<a class="button" href="{url}" rel="noreferrer">{text}</a>'
    fields = "".join(
        _hidden(str(name), str(value)) for name, value in next_action["fields"].items()
    )
    return f'<form method="post" action="{url}">{fields}<button>{text}</button></form>'
