"""What every page looks like, where it can be reckoned."""

import re

import pytest

from tollgate.domain.subscription import Language
from tollgate.pages.layout import page

STYLE = page(Language.ENGLISH, "A heading", "").partition("</style>")[0]


def color(selector: str, name: str) -> str:
    """The one colour in this declaration."""
    found = re.search(rf"^{re.escape(selector)}{{[^}}]*\b{name}:[^;}}]*(#[0-9a-f]+)", STYLE, re.M)
    assert found is not None, selector
    return found[1]


def luminance(hexadecimal: str) -> float:
    """WCAG 2.2, relative luminance of #rgb or #rrggbb."""
    digits = hexadecimal[1:]
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, contrast ratio."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("around", ["body", "section"])
def test_the_focus_is_seen(around: str) -> None:
    """3 : 1, WCAG 2.2 §1.4.11: whoever has keys in place of a touch screen must see where it is."""
    assert contrast(color(":focus-visible", "outline"), color(around, "background")) >= 3


@pytest.mark.parametrize("text", ["body", ".hint", "a", ".alert"])
def test_text_is_read(text: str) -> None:
    """4.5 : 1, WCAG 2.2 §1.4.3."""
    around = ".alert" if text == ".alert" else "body"
    assert contrast(color(text, "color"), color(around, "background")) >= 4.5
