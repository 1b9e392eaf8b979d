"""The frame of every page, and the parts that pages are made of.

For a cheap phone: one small file, system fonts, big targets, readable without a style sheet.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from html import escape
from urllib.parse import quote

from tollgate.domain.subscription import Language
from tollgate.pages.texts import say

_STYLE = """
:root{color-scheme:light}
*{box-sizing:border-box}
body{margin:0;background:#f3f5f8;color:#14213d;font:1.0625rem/1.5 system-ui,sans-serif}
main{max-width:28rem;margin:0 auto;padding:1rem}
header{display:flex;justify-content:space-between;align-items:center;min-height:3rem}
header strong{font-size:1.125rem;overflow-wrap:anywhere}
section{background:#fff;border:1px solid #d5dbe5;border-radius:.75rem;padding:1.25rem;
margin-bottom:1rem}
h1{font-size:1.375rem;line-height:1.25;margin:0 0 .75rem}
h2{font-size:1.125rem;margin:0 0 .75rem}
p{margin:0 0 .75rem}
p:last-child{margin-bottom:0}
.sum{font-size:2rem;font-weight:700;line-height:1.2;margin:0;overflow-wrap:anywhere}
.soft{color:#4a5671;margin:0}
dl{margin:1rem 0 0;border-top:1px solid #d5dbe5}
dl div{display:flex;justify-content:space-between;gap:1rem;padding:.625rem 0 0}
dt{color:#4a5671}
dd{margin:0;text-align:right;font-weight:600;overflow-wrap:anywhere}
form+form{margin-top:1.25rem;padding-top:1.25rem;border-top:1px solid #d5dbe5}
label{display:block;font-weight:600}
input[type=tel],input[type=email],input[type=text]{display:block;width:100%;min-height:3rem;
margin:.25rem 0;padding:.5rem .75rem;border:1px solid #6b7690;border-radius:.5rem;font:inherit}
input[aria-invalid]{border:2px solid #7a1410}
.hint{color:#4a5671;font-size:.9375rem;margin:0 0 .75rem}
.check{display:flex;gap:.75rem;align-items:center;min-height:3rem;margin-bottom:.75rem;
font-weight:400}
.check input{width:1.5rem;height:1.5rem;flex:none}
button,.button{display:block;width:100%;min-height:3.25rem;padding:.75rem;border:0;
border-radius:.5rem;background:#0b5d3b;color:#fff;font:inherit;font-weight:700;text-align:center;
text-decoration:none;cursor:pointer}
.second{background:#fff;color:#0b5d3b;border:1px solid #0b5d3b;margin-top:.75rem}
a{color:#0b4f8a}
header a{padding:.75rem 0}
:focus-visible{outline:3px solid #b45309;outline-offset:2px}
.alert{background:#fdecea;color:#7a1410;border-radius:.5rem;padding:.75rem 1rem;font-weight:600}
.done h1{color:#0b5d3b}
"""

_STYLE_SHA256 = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

HEADERS: Mapping[str, str] = {
    # no form-action: Chromium holds it against where a form's answer leads, which is the PSP's page
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_SHA256}'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex",
}
"""Goes with every page: nothing is loaded, nobody frames it, and no other page learns the link."""

CONTENT_TYPE = "text/html; charset=utf-8"


def page(
    language: Language,
    heading: str,
    body: str,
    *,
    app: str = "",
    refresh_seconds: int | None = None,
) -> str:
    """A whole page. `body` is HTML, `heading` and `app` are text."""
    other = Language.SWAHILI if language is Language.ENGLISH else Language.ENGLISH
    refresh = f'<meta http-equiv="refresh" content="{refresh_seconds}">' if refresh_seconds else ""
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"{refresh}<title>{escape(heading)}</title><style>{_STYLE}</style></head><body><main>"
        f"<header><strong>{escape(app)}</strong>"
        f'<a href="?lang={other}" hreflang="{other}" lang="{other}">'
        f"{escape(say('language', language))}</a></header>"
        f"{body}</main></body></html>"
    )


def section(heading: str, *parts: str, kind: str = "", level: int = 1) -> str:
    """A card with a heading; `parts` are HTML."""
    kind = f' class="{kind}"' if kind else ""
    return f"<section{kind}><h{level}>{escape(heading)}</h{level}>{''.join(parts)}</section>"


def paragraph(text: str) -> str:
    """A line of text."""
    return f"<p>{escape(text)}</p>"


ALERT_ID = "alert"


def alert(text: str | None) -> str:
    """What went wrong, read out at once; a field that it speaks of refers to it."""
    return f'<p class="alert" role="alert" id="{ALERT_ID}">{escape(text)}</p>' if text else ""


def facts(rows: Sequence[tuple[str, str]]) -> str:
    """Names and what they are."""
    lines = (f"<div><dt>{escape(name)}</dt><dd>{escape(what)}</dd></div>" for name, what in rows)
    return f"<dl>{''.join(lines)}</dl>"


def link(text: str, language: Language, *, other: bool = False) -> str:
    """A link to this page anew; `other`: to choose another way to pay."""
    more = "&amp;other=1" if other else ""
    return f'<a class="button second" href="?lang={quote(language)}{more}">{escape(text)}</a>'
