"""The notice as a page that runs nothing and loads nothing."""

from __future__ import annotations

from html import escape
from typing import Any, Iterator, List, Mapping, Tuple

from .document import NOT_STATED

_POLICY = (
    "default-src 'none'",
    "style-src 'unsafe-inline'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
)

HEADERS = (
    "Cache-Control: no-store\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Content-Security-Policy: {}\r\n"
).format("; ".join(_POLICY))

_STYLE = """
:root { color-scheme: light dark; --line: #8886; --dim: #6b6b6b; --box: #b3541e; }
@media (prefers-color-scheme: dark) { :root { --dim: #a6a6a6; --box: #e08a52; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 720px; padding: 16px; font: 17px/1.55 system-ui, sans-serif; }
h1 { font-size: 26px; line-height: 1.25; margin: 8px 0; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 28px 0 4px; }
p, li { margin: 6px 0; white-space: pre-line; overflow-wrap: anywhere; }
ul { margin: 6px 0; padding-left: 22px; }
.dim { color: var(--dim); }
.ai { border: 2px solid var(--box); border-radius: 8px; padding: 10px 14px; font-weight: 600; }
article { border-top: 1px solid var(--line); margin-top: 24px; padding-top: 8px; }
@media print { body { font-size: 12pt; } }
"""

_SECTIONS: Tuple[Tuple[str, Tuple[Tuple[str, str], ...]], ...] = (
    ("What it is for", (("purpose", ""), ("not_allowed", "Not allowed: "))),
    ("Its limits", (("limits", ""),)),
    ("Whom to ask", (("provider", ""), ("feedback", "Problems: "))),
    (
        "How a person can object",
        (("appeal", ""), ("oversight", "Oversight: "), ("overrides", "")),
    ),
    ("Personal data", (("personal_data", ""), ("retention", "Kept: "))),
)
"""Headings with the texts below each, and what stands before a text."""


def page(document: Mapping[str, Any]) -> str:
    """Return the page of a document (see ``document.about``)."""
    served = document["serves"]
    title = "About {}".format(served[0]["title"] if len(served) == 1 else "this server")
    body = "".join(_body(document, title))
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<title>{}</title><style>{}</style></head>"
    ).format(escape(title), _STYLE)
    return "{}<body>{}</body></html>\n".format(head, body)


def _body(document: Mapping[str, Any], title: str) -> Iterator[str]:
    served: List[Mapping[str, Any]] = document["serves"]
    alone = len(served) == 1
    yield "<main><h1>{}</h1>".format(escape(title))
    yield _paragraph(document["statement"], "ai")
    for one in served:
        yield "" if alone else "<article><h1>{}</h1>".format(escape(one["title"]))
        yield from _release(one)
        yield "" if alone else "</article>"
    if not served:
        yield _paragraph("Nothing is served now.")
    yield "<h2>What is recorded</h2>{}".format(_lines(document["recorded"]))
    yield "</main>"


def _release(one: Mapping[str, Any]) -> Iterator[str]:
    version = "version {}".format(one["version"]) if one["version"] else "not packaged"
    parts = ["{}, {}".format(one["name"], version)]
    if one["release"]:
        parts.append("release {}".format(one["release"]))
    yield _paragraph(", ".join(parts), "dim")
    if one["notice"]:
        yield _paragraph(one["notice"])
    for heading, texts in _SECTIONS:
        yield "<h2>{}</h2>".format(heading)
        stated = [_text(one[name], before) for name, before in texts if one[name]]
        if not one[texts[0][0]]:
            yield _paragraph(NOT_STATED, "dim")
        yield from stated


def _text(value: Any, before: str) -> str:
    if isinstance(value, list):
        return _paragraph(value[0]) if len(value) == 1 else _lines(value)
    return _paragraph(before + value)


def _lines(lines: List[str]) -> str:
    return "<ul>{}</ul>".format("".join("<li>{}</li>".format(_words(one)) for one in lines))


def _paragraph(text: str, kind: str = "") -> str:
    mark = ' class="{}"'.format(kind) if kind else ""
    return "<p{}>{}</p>".format(mark, _words(text))


def _words(text: str) -> str:
    """Return a text as HTML, without the marks that Markdown has for code."""
    return escape(text.replace("`", ""))
