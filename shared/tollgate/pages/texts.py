"""What the pages say, in English and in Swahili. One table: no text is in one language only."""

from collections.abc import Mapping
from datetime import date

from tollgate.domain.billing import Interval, Unit
from tollgate.domain.money import EXPONENTS, Money
from tollgate.domain.payment import Method
from tollgate.domain.subscription import Language

EN, SW = Language.ENGLISH, Language.SWAHILI

TEXTS: Mapping[str, Mapping[Language, str]] = {
    "title": {EN: "Pay {app}", SW: "Lipa {app}"},
    "to_pay": {EN: "To pay", SW: "Kiasi cha kulipa"},
    "for": {EN: "For", SW: "Kwa ajili ya"},
    "change_to": {EN: "Change to {plan}", SW: "Kubadili kuwa {plan}"},
    "due": {EN: "Due", SW: "Mwisho wa kulipa"},
    "how": {EN: "How would you like to pay?", SW: "Ungependa kulipa vipi?"},
    "pay_by": {EN: "Pay by {method}", SW: "Lipa kwa {method}"},
    "phone": {EN: "Phone number", SW: "Nambari ya simu"},
    "phone_known": {
        EN: "Leave it empty for the number that ends in {digits}.",
        SW: "Iache wazi kutumia nambari inayoishia {digits}.",
    },
    "phone_hint": {EN: "Such as 0712 345 678", SW: "Kwa mfano 0712 345 678"},
    "email": {EN: "Email", SW: "Barua pepe"},
    "name": {EN: "Name", SW: "Jina"},
    "save": {
        EN: "Keep this card for my next payments",
        SW: "Hifadhi kadi hii kwa malipo yangu yajayo",
    },
    "no_way": {
        EN: "This can't be paid here just now. Please try again later.",
        SW: "Malipo haya hayawezekani kwa sasa. Tafadhali jaribu tena baadaye.",
    },
    "wrong_phone": {
        EN: "This is not a phone number. Write it as 0712 345 678 or +254712345678.",
        SW: "Hii si nambari ya simu. Iandike kama 0712 345 678 au +254712345678.",
    },
    "wrong_email": {
        EN: "This is not an email address.",
        SW: "Hii si anwani ya barua pepe.",
    },
    "asks_contact": {
        EN: "Please write your phone number or your email address.",
        SW: "Tafadhali andika nambari yako ya simu au barua pepe yako.",
    },
    "wrong_name": {EN: "Please write your name.", SW: "Tafadhali andika jina lako."},
    "choose": {
        EN: "Please choose how to pay.",
        SW: "Tafadhali chagua jinsi ya kulipa.",
    },
    "not_taken": {
        EN: "It can't be paid this way. Please choose another one.",
        SW: "Malipo haya hayawezi kufanywa kwa njia hii. Tafadhali chagua njia nyingine.",
    },
    "other_amount": {
        EN: "The amount has changed. Nothing was charged. Please look at it again.",
        SW: "Kiasi kimebadilika. Hakuna pesa iliyokatwa. Tafadhali kiangalie tena.",
    },
    "too_often": {
        EN: "That was tried too often. Please wait an hour, then try again.",
        SW: "Umejaribu mara nyingi mno. Tafadhali subiri saa moja, kisha ujaribu tena.",
    },
    "failed": {
        EN: "The payment did not go through. Nothing was charged.",
        SW: "Malipo hayakufanikiwa. Hakuna pesa iliyokatwa.",
    },
    "insufficient_funds": {
        EN: "There was not enough money for it. Nothing was charged.",
        SW: "Salio halikutosha. Hakuna pesa iliyokatwa.",
    },
    "expired_card": {
        EN: "The card has expired. Nothing was charged.",
        SW: "Kadi imeisha muda wake. Hakuna pesa iliyokatwa.",
    },
    "authentication_required": {
        EN: "Your bank wants you to confirm this payment. Please pay here.",
        SW: "Benki yako inataka uthibitishe malipo haya. Tafadhali lipa hapa.",
    },
    "psp_unavailable": {
        EN: "That way of paying does not answer just now. Nothing was charged.",
        SW: "Njia hiyo ya malipo haijibu kwa sasa. Hakuna pesa iliyokatwa.",
    },
    "waiting": {EN: "Waiting for your payment", SW: "Tunasubiri malipo yako"},
    "look_at_phone": {EN: "Look at your phone", SW: "Angalia simu yako"},
    "enter_pin": {
        EN: "We have sent a request to the number that ends in {digits}. Enter your PIN there.",
        SW: "Tumetuma ombi kwa nambari inayoishia {digits}. Weka PIN yako hapo.",
    },
    "enter_pin_somewhere": {
        EN: "We have sent a request to your phone. Enter your PIN there.",
        SW: "Tumetuma ombi kwa simu yako. Weka PIN yako hapo.",
    },
    "being_confirmed": {
        EN: "Your payment is being confirmed. Please do not pay again.",
        SW: "Malipo yako yanathibitishwa. Tafadhali usilipe tena.",
    },
    "go_on_text": {
        EN: "You pay on the next page, and come back here.",
        SW: "Utalipa kwenye ukurasa unaofuata, kisha utarudi hapa.",
    },
    "go_on": {EN: "Continue to pay", SW: "Endelea kulipa"},
    "refreshes": {
        EN: "This page looks again by itself.",
        SW: "Ukurasa huu unaangalia tena wenyewe.",
    },
    "look_again": {EN: "Look again", SW: "Angalia tena"},
    "left_prompt": {
        EN: "Your phone may still ask for your PIN. Cancel it there first, or you may pay twice.",
        SW: "Simu yako huenda bado inaomba PIN. Ighairi kwanza hapo, usije ukalipa mara mbili.",
    },
    "other_way": {EN: "Pay another way", SW: "Lipa kwa njia nyingine"},
    "in_review": {EN: "We are checking your payment", SW: "Tunakagua malipo yako"},
    "in_review_text": {
        EN: "Something about it must be looked at by a person. Please do not pay again.",
        SW: "Kuna jambo ambalo mtu anahitaji kuliangalia. Tafadhali usilipe tena.",
    },
    "receipt": {EN: "Thank you, it is paid", SW: "Asante, imelipwa"},
    "paid": {EN: "Paid", SW: "Kiasi kilicholipwa"},
    "paid_on": {EN: "On", SW: "Tarehe"},
    "paid_through": {EN: "Paid through", SW: "Imelipiwa hadi"},
    "reference": {EN: "Reference", SW: "Nambari ya kumbukumbu"},
    "close": {EN: "You can close this page.", SW: "Unaweza kufunga ukurasa huu."},
    "given_back": {EN: "The money was given back", SW: "Pesa zimerudishwa"},
    "given_back_text": {
        EN: "To pay again, go back to the app.",
        SW: "Kulipa tena, rudi kwenye programu.",
    },
    "over": {EN: "There is nothing to pay here", SW: "Hakuna cha kulipa hapa"},
    "over_text": {
        EN: "This bill is not asked for any more. For a new link, go back to the app.",
        SW: "Ankara hii haihitajiki tena. Kupata kiungo kipya, rudi kwenye programu.",
    },
    "unknown": {EN: "This link does not work", SW: "Kiungo hiki hakifanyi kazi"},
    "unknown_text": {
        EN: "It may have expired, or a part of it is missing. For a new one, go back to the app.",
        SW: "Huenda muda wake umeisha, au sehemu yake haipo. Kupata kipya, rudi kwenye programu.",
    },
    "busy": {EN: "This page can't be shown just now", SW: "Ukurasa huu hauwezi kuonyeshwa sasa"},
    "busy_text": {
        EN: "Please wait a minute, then open your link again. It shows whether you have paid.",
        SW: "Tafadhali subiri dakika moja, kisha ufungue kiungo tena. Kitaonyesha kama umelipa.",
    },
    "unreadable": {EN: "That did not work", SW: "Hilo halikufaulu"},
    "unreadable_text": {
        EN: "Please open your link again.",
        SW: "Tafadhali fungua kiungo chako tena.",
    },
    "language": {EN: "Kiswahili", SW: "English"},
}

_METHODS: Mapping[Method, Mapping[Language, str]] = {
    Method.MPESA: {EN: "M-Pesa", SW: "M-Pesa"},
    Method.CARD: {EN: "card", SW: "kadi"},
    Method.PAYPAL: {EN: "PayPal", SW: "PayPal"},
    Method.AIRTEL: {EN: "Airtel Money", SW: "Airtel Money"},
    Method.EQUITEL: {EN: "Equitel", SW: "Equitel"},
}

_UNITS: Mapping[Unit, Mapping[Language, tuple[str, str]]] = {
    Unit.DAY: {EN: ("{n} day", "{n} days"), SW: ("siku {n}", "siku {n}")},
    Unit.WEEK: {EN: ("{n} week", "{n} weeks"), SW: ("wiki {n}", "wiki {n}")},
    Unit.MONTH: {EN: ("{n} month", "{n} months"), SW: ("mwezi {n}", "miezi {n}")},
    Unit.YEAR: {EN: ("{n} year", "{n} years"), SW: ("mwaka {n}", "miaka {n}")},
}

_MONTHS: Mapping[Language, str] = {
    EN: "January February March April May June July August September October November December",
    SW: "Januari Februari Machi Aprili Mei Juni Julai Agosti Septemba Oktoba Novemba Desemba",
}


def say(name: str, language: Language, **values: str) -> str:
    """A text in this language, with these values in it."""
    return TEXTS[name][language].format(**values)


def language_of(
    query: Mapping[str, str], headers: Mapping[str, str], told: Language | None = None
) -> Language:
    """The one that is asked for in the address, else the one that was told, else the browser's."""
    asked = query.get("lang")
    if asked in set(Language):
        return Language(asked)
    reads = headers.get("accept-language", "").strip().lower()
    return told or (SW if reads.startswith("sw") else EN)


def method_name(method: Method, language: Language) -> str:
    """What people call a method."""
    return _METHODS[method][language]


def length(interval: Interval, language: Language) -> str:
    """How long a period is: "3 months"."""
    one, many = _UNITS[interval.unit][language]
    return (one if interval.count == 1 else many).format(n=interval.count)


def day(value: date, language: Language) -> str:
    """`28 February 2026`."""
    return f"{value.day} {_MONTHS[language].split()[value.month - 1]} {value.year}"


def amount(money: Money) -> str:
    """`KES 1,500.00`, with as many decimals as the currency has."""
    exponent = EXPONENTS[money.currency]
    whole, rest = divmod(money.amount_minor, 10**exponent)
    decimals = f".{rest:0{exponent}}" if exponent else ""
    return f"{money.currency} {whole:,}{decimals}"
