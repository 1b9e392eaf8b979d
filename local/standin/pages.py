"""The look of the pages that people see, and the overview. No JavaScript."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from local.standin.faults import Faults
from local.standin.outbox import Event

FRESH = {"Cache-Control": "no-store"}
"""The browser's Back button is to show what is true now."""

_STYLE = """
:root { color-scheme: light; --ink: #1a1f36; --soft: #5b6478; --line: #dfe3ea; --go: #0a5cd6; }
* { box-sizing: border-box; }
body { margin: 0; background: #f4f6f9; color: var(--ink);
  font: 17px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
.banner { background: #fff3cd; color: #5c4300; padding: 12px 20px; font-size: 15px;
  text-align: center; border-bottom: 1px solid #f0dc9c; }
main { max-width: 30rem; margin: 24px auto; padding: 0 16px; }
main.wide { max-width: 72rem; }
.card { background: #fff; border: 1px solid var(--line); border-radius: 14px; padding: 24px;
  margin-bottom: 20px; }
.soft { color: var(--soft); margin: 0; font-size: 15px; }
.amount { font-size: 36px; font-weight: 650; letter-spacing: -.02em; margin: 4px 0;
  overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
h1 { font-size: 24px; margin: 0 0 8px; } h2 { font-size: 18px; margin: 0 0 12px; }
ul { list-style: none; margin: 16px 0 0; padding: 16px 0 0; border-top: 1px solid var(--line); }
li { display: flex; justify-content: space-between; gap: 16px; overflow-wrap: anywhere; }
button, .button { display: block; width: 100%; min-height: 54px; margin-top: 12px; border: 0;
  border-radius: 10px; font: inherit; font-weight: 600; cursor: pointer; }
.pay { background: var(--go); color: #fff; }
.decline { background: #fff; color: #a3161f; border: 1px solid #e2b4b7; }
.leave { background: none; color: var(--soft); text-decoration: underline; }
button:focus-visible { outline: 3px solid #8fb8f5; outline-offset: 2px; }
.alert { background: #fdecec; color: #8c1119; border-radius: 10px; padding: 12px 16px;
  margin: 0 0 8px; font-weight: 550; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { text-align: left; padding: 8px 12px 8px 0; border-top: 1px solid var(--line);
  vertical-align: top; }
th { color: var(--soft); font-weight: 500; border: 0; }
td.id { font-family: ui-monospace, monospace; font-size: 13px; overflow-wrap: anywhere; }
input { font: inherit; width: 8rem; min-height: 40px; padding: 4px 8px;
  border: 1px solid var(--line); border-radius: 8px; }
td button { width: auto; min-height: 40px; margin: 0; padding: 0 16px; background: #e8eefb;
  color: #0a3f94; }
"""


@dataclass(frozen=True)
class Table:
    """A part of the overview. The cells are HTML: escape what comes from outside."""

    title: str
    heads: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def path_of(base_url: str) -> str:
    """Where a stand-in is mounted: links start with it. "" for the root, "/name" below it."""
    return urlsplit(base_url).path.rstrip("/")


def see_other(url: str) -> Response:
    """Sends a browser on from a button that it pressed."""
    return RedirectResponse(url, 303, headers=FRESH)


def is_form(request: Request) -> bool:
    """Whether a button of one of these pages sent it."""
    content_type = request.headers.get("Content-Type", "")
    return content_type.startswith("application/x-www-form-urlencoded")


def document(psp: str, title: str, content: str, *, wide: bool = False) -> str:
    """A whole page under the banner that names the PSP (or PSPs). `content` is HTML."""
    banner = f"This is a stand-in for {psp} on your own machine. No money moves."
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
        f'<p class="banner" style="margin:0">{escape(banner)}</p>'
        f"<main{' class=wide' if wide else ''}>{content}</main></body></html>"
    )


def message_page(psp: str, title: str, text: str) -> str:
    """One thing to say, such as that a payment is over."""
    content = f'<h1>{escape(title)}</h1><p class="soft">{escape(text)}</p>'
    return document(psp, title, f'<div class="card">{content}</div>')


def overview_page(
    psp: str,
    *,
    tables: Iterable[Table],
    events: Iterable[Event],
    faults: Faults,
    path: str,
    problem: str = "",
) -> str:
    """The PSP's tables, the events (oldest first) with their deliveries, and the switches.

    `path` is where the stand-in is mounted, `problem` why the switches were not set.
    """
    title = f"{psp} stand-in"
    shown = [*tables, _events(events, path)]
    return document(
        psp,
        title,
        f"<h1>{escape(title)}</h1>"
        + "".join(_section(table) for table in shown)
        + _switches(faults, path, problem),
        wide=True,
    )


def code(text: str) -> str:
    """An id."""
    return f"<code>{escape(text)}</code>"


def link(url: str, label: str) -> str:
    return f'<a href="{escape(url)}">{escape(label)}</a>'


def button(path: str, label: str, look: str = "") -> str:
    """Sends an empty form there. `look` is pay, decline or leave; in a table, none."""
    style = f' class="{look}"' if look else ""
    pressed = f"<button{style}>{escape(label)}</button>"
    return f'<form method="post" action="{escape(path)}">{pressed}</form>'


def alert(text: str) -> str:
    return f'<p class="alert" role="alert">{escape(text)}</p>'


def _events(events: Iterable[Event], path: str) -> Table:
    rows = [
        (
            code(event.id),
            escape(event.type),
            _attempts(event),
            button(f"{path}/_standin/events/{event.id}/resend", "Send again"),
        )
        for event in reversed(list(events))
    ]
    return Table("Events", ("Id", "Type", "Deliveries", ""), rows)


def _attempts(event: Event) -> str:
    tried = (
        f"{datetime.fromtimestamp(one.at, UTC):%H:%M:%S} {one.status or escape(one.error or '')}"
        for one in event.attempts
    )
    return "<br>".join(tried) or "none yet"


def _section(table: Table) -> str:
    head = "".join(f"<th>{text}</th>" for text in table.heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in table.rows
    )
    content = f"<table><tr>{head}</tr>{body}</table>"
    if not table.rows:
        content = '<p class="soft">None yet.</p>'
    return (
        f'<section class="card"><h2>{table.title}</h2><div class="scroll">{content}</div></section>'
    )


def _switches(faults: Faults, path: str, problem: str) -> str:
    rows = []
    for name, about in type(faults).model_fields.items():
        if name == "next":
            continue
        value = getattr(faults, name)
        shown = "" if not value and value == about.default else str(value).lower()
        limit = faults.next.get(name, "")
        rows.append(
            f'<tr><td><label for="{name}">{name}</label></td><td>{about.description}</td>'
            f'<td><input id="{name}" name="{name}" value="{shown}"></td>'
            f'<td><input name="next[{name}]" value="{limit}" inputmode="numeric" '
            f'aria-label="how many times {name}"></td></tr>'
        )
    return (
        f'<section class="card"><h2>Switches</h2>{alert(problem) if problem else ""}'
        f'<form method="post" action="{escape(path)}/_standin/faults"><div class="scroll"><table>'
        "<tr><th>Switch</th><th>What it does</th><th>Value</th><th>For the next …</th></tr>"
        f"{''.join(rows)}</table></div>"
        '<button class="pay">Set the switches</button></form></section>'
    )
