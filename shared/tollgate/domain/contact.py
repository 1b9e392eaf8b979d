"""Who pays, as a person types it into a form on a phone."""

import re
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import parse_qsl

from tollgate.domain.card_numbers import has_card_number
from tollgate.domain.order import Customer

_INTERNATIONAL = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_KENYAN = re.compile(r"(?:0|254)([17][0-9]{8})", re.ASCII)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def read_phone(text: str) -> str | None:
    """E.164 of what was typed: +254712345678 as it is, 0712 345 678 and 254712345678 as Kenyan
    numbers. None for what is none."""
    digits = re.sub(r"[\s().-]", "", text)
    if _INTERNATIONAL.fullmatch(digits):
        return digits
    kenyan = _KENYAN.fullmatch(digits)
    return f"+254{kenyan.group(1)}" if kenyan else None


def read_email(text: str) -> str | None:
    """An email address; None for what can be none."""
    text = text.strip()
    return text if len(text) <= 254 and text.isprintable() and _EMAIL.fullmatch(text) else None


def read_name(text: str) -> str | None:
    """A name on one line; None for what can be none."""
    text = text.strip()
    return text if 0 < len(text) <= 255 and text.isprintable() else None


_READERS = {"phone": read_phone, "email": read_email, "name": read_name}


def read_customer(known: Customer, form: Mapping[str, str]) -> tuple[Customer, str | None]:
    """Who pays: as the app told, and as was typed now; or the name of the field that is wrong."""
    typed: dict[str, str] = {}
    for name, reader in _READERS.items():
        text = form.get(name, "").strip()
        if not text:
            continue
        value = None if has_card_number(text) else reader(text)
        if value is None:
            return known, name
        typed[name] = value
    return replace(known, **typed), None


def read_form(body: bytes) -> dict[str, str]:
    """The fields of a form; none of one that can't be read, which is as good as an empty one."""
    try:
        pairs = parse_qsl(body.decode(), errors="strict", max_num_fields=20)
    except ValueError:
        return {}
    return dict(pairs)
