"""The pieces of an HTML page: escaped text, tables, pills, embedded drawings."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape

_TONES = {
    "succeeded": "good",
    "unchanged": "good",
    "met": "good",
    "faster": "good",
    "serving": "good",
    "committed": "good",
    "done": "good",
    "ok": "good",
    "failed": "bad",
    "not met": "bad",
    "slower": "warn",
    "undecided": "warn",
}


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def text(value: object) -> str:
    """Anything as safe markup."""
    return value if isinstance(value, Html) else escape(str(value))


def pill(word: str) -> Html:
    """Return a state: a word with a colour, never a colour alone."""
    return Html(f'<span class="pill {_TONES.get(word, "quiet")}">{escape(word)}</span>')


def table(head: Sequence[str], rows: Iterable[Sequence[object]], numbers: str = "") -> Html:
    """Return a table; ``numbers`` has an ``n`` at the position of each right-aligned column."""
    kinds = [' class="n"' if numbers[i : i + 1] == "n" else "" for i in range(len(head))]
    lines = ["<table><tr>"]
    lines += [f"<th{kind}>{text(cell)}</th>" for kind, cell in zip(kinds, head, strict=True)]
    lines.append("</tr>")
    for row in rows:
        cells = (f"<td{kind}>{text(cell)}</td>" for kind, cell in zip(kinds, row, strict=True))
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return Html("".join([*lines, "</table>"]))


def section(title: str, *parts: str) -> Html:
    """Return a panel with a heading."""
    return Html(f"<section><h2>{escape(title)}</h2>{''.join(map(text, parts))}</section>")


def paragraph(content: str, kind: str = "") -> Html:
    """Return a paragraph, of a class if one is given."""
    return Html(f'<p class="{kind}">{text(content)}</p>')


def picture(svg: str, description: str, kind: str = "figure") -> Html:
    """Return a drawing as an image, so that its styles stay its own."""
    data = base64.b64encode(svg.encode()).decode()
    return Html(
        f'<img class="{kind}" alt="{escape(description)}" src="data:image/svg+xml;base64,{data}">'
    )


def page(title: str, style: str, body: Iterable[str], pictures: str = "") -> str:
    """Return the whole document; it loads nothing but pictures, and runs nothing.

    Args:
        pictures: Further source of pictures, such as ``'self'`` for files next to the page.
    """
    policy = f"default-src 'none'; style-src 'unsafe-inline'; img-src data: {pictures}".rstrip()
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<title>{escape(title)}</title><style>{style}</style></head>"
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )
