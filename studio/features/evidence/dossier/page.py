"""The dossier as one HTML page that runs nothing and loads only the pictures next to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from studio.documents.html import Html, page, paragraph, table
from studio.features.evidence.dossier.blocks import (
    Block,
    Content,
    Grid,
    Heading,
    Link,
    Paragraph,
    Pictures,
    States,
    StateWord,
    blocks,
    coverage_blocks,
)
from studio.features.evidence.dossier.outline import Dossier
from studio.features.evidence.dossier.statement import Picture
from studio.features.evidence.results import ASKED, MISSING, PRESENT
from studio.settings import resource

TONES = {PRESENT: "good", MISSING: "bad", "partial": "warn", ASKED: "asked"}
WORDS = {"partial": "partly present", "outside": "not kept here"}
_SECTION = 2


def dossier_page(dossier: Dossier) -> str:
    """Return the page."""
    return _page(f"Evidence: {dossier.subject.title}", blocks(dossier))


def frameworks_page(dossier: Dossier) -> str:
    """Return a page with the sections of all frameworks."""
    return _page(f"Frameworks: {dossier.subject.title}", coverage_blocks(dossier))


def _page(title: str, content: Iterable[Block]) -> str:
    style = "\n".join(
        resource("templates", name).read_text(encoding="utf-8")
        for name in ("report.css", "dossier.css")
    )
    return page(title, style, _body(content), pictures="'self'")


def _body(content: Iterable[Block]) -> Iterator[str]:
    """Yield the markup; each heading of the second level begins a section."""
    is_open = False
    for block in content:
        if isinstance(block, Heading) and block.level == _SECTION:
            yield "</section>" if is_open else ""
            yield f"<section{_anchor(block)}>"
            is_open = True
        yield _markup(block)
    yield "</section>" if is_open else ""


def _markup(block: Block) -> Html:
    match block:
        case Heading():
            mark = "" if block.level == _SECTION else _anchor(block)
            state = f" {_state(StateWord(block.state))}" if block.state else ""
            tag = f"h{block.level}"
            return Html(f"<{tag}{mark}>{escape(block.text)}{state}</{tag}>")
        case Paragraph():
            return paragraph(block.text, "dim" if block.dim else "")
        case States():
            return Html(f"<p>{' '.join(map(_state, block.words))}</p>")
        case Pictures():
            return Html(f'<div class="maps">{"".join(map(_picture, block.pictures))}</div>')
        case Grid():
            return _grid(block)


def _grid(grid: Grid) -> Html:
    cells = [[_cell(one) for one in row] for row in grid.rows]
    if not grid.head:
        return Html("".join(f'<p class="dim">{" ".join(row)}</p>' for row in cells))
    return table(grid.head, [list(map(Html, row)) for row in cells], grid.numbers)


def _cell(content: Content) -> str:
    match content:
        case StateWord():
            return _state(content)
        case Link():
            return f'<a href="{escape(content.place)}">{escape(content.text)}</a>'
        case _:
            return escape(content)


def _picture(picture: Picture) -> str:
    caption = escape(picture.caption)
    image = f'<img src="{escape(picture.file)}" alt="{caption}">'
    return f"<figure>{image}<figcaption>{caption}</figcaption></figure>"


def _anchor(heading: Heading) -> str:
    return f' id="{escape(heading.anchor)}"' if heading.anchor else ""


def _state(word: StateWord) -> str:
    tone = TONES.get(word.state, "quiet")
    text = word.words or WORDS.get(word.state, word.state)
    return f'<span class="pill {tone}">{escape(text)}</span>'
