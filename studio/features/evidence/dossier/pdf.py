"""The dossier as a PDF with text that can be searched, and fonts of its own."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Image, LongTable, SimpleDocTemplate, Spacer
from reportlab.platypus import Paragraph as Text

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
)
from studio.features.evidence.dossier.outline import Dossier
from studio.features.evidence.dossier.page import TONES, WORDS
from studio.features.evidence.dossier.pdf_fonts import BOLD, FONT, lacking, marked, register_fonts

_COLOURS = {
    "good": "#1a7a50",
    "bad": "#cf3a2b",
    "warn": "#8a5a00",
    "asked": "#2368e0",
    "quiet": "#5d6778",
}
_DIM, _LINE, _INK = HexColor("#5d6778"), HexColor("#d6dbe3"), HexColor("#1a1f29")
_MARGIN = 18 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_SIZES = {1: 18, 2: 13, 3: 10, 4: 9}
_BODY, _SMALL = 8.5, 7.5
_HEADED = 3
"""Parts of the document's heading."""

_TALLEST = 190 * mm
_NARROWEST, _WIDEST = 4, 44
"""Characters of a column that its width is made of."""


def dossier_pdf(dossier: Dossier, folder: Path) -> bytes:
    """Return the PDF; equal dossiers give equal bytes.

    Args:
        folder: Folder of the pictures.
    """
    register_fonts()
    content = io.BytesIO()
    document = SimpleDocTemplate(
        content,
        pagesize=A4,
        title=f"Evidence: {dossier.subject.title}",
        author="Edgewright",
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        invariant=1,
    )
    parts = list(blocks(dossier))
    flowables = [part for block in parts for part in _flowables(block, folder)]
    flowables[_HEADED:_HEADED] = _note(parts)
    document.build(flowables, onFirstPage=_footer, onLaterPages=_footer)
    return content.getvalue()


def _note(parts: Sequence[Block]) -> list[Flowable]:
    """Return a note about letters that no font here has; nothing where there are no such."""
    missing = lacking("".join(map(_text, parts)))
    if not missing:
        return []
    note = f"Letters without a font on this computer are boxes: {len(missing)}. The page has them."
    return [Text(marked(note), _style(_BODY)), Spacer(1, 1.5 * mm)]


def _text(block: Block) -> str:
    match block:
        case Heading() | Paragraph():
            return block.text
        case States():
            return ""
        case Pictures():
            return "".join(picture.caption for picture in block.pictures)
        case Grid():
            cells = (_plain(cell) for row in block.rows for cell in row)
            return "".join([*block.head, *cells])


def _footer(canvas, document) -> None:  # type: ignore[no-untyped-def]
    canvas.saveState()
    canvas.setFont(FONT, _SMALL)
    canvas.setFillColor(_DIM)
    canvas.drawRightString(A4[0] - _MARGIN, 10 * mm, str(document.page))
    canvas.restoreState()


def _flowables(block: Block, folder: Path) -> Iterator[Flowable]:
    match block:
        case Heading():
            yield from _heading(block)
        case Paragraph():
            yield Text(marked(block.text), _style(_BODY, dim=block.dim))
            yield Spacer(1, 1.5 * mm)
        case States():
            words = "   ".join(_content(word) for word in block.words)
            yield Text(words, _style(_BODY))
            yield Spacer(1, 2 * mm)
        case Pictures():
            yield from _pictures(block, folder)
        case Grid():
            yield _grid(block)
            yield Spacer(1, 2 * mm)


def _heading(heading: Heading) -> Iterator[Flowable]:
    size = _SIZES[heading.level]
    yield Spacer(1, size * 0.5)
    anchor = f'<a name="{escape(heading.anchor)}"/>' if heading.anchor else ""
    state = f"  {_content(StateWord(heading.state))}" if heading.state else ""
    style = _style(size, bold=True)
    style.keepWithNext = 1
    yield Text(f"{anchor}{marked(heading.text)}{state}", style)
    yield Spacer(1, 1 * mm)


def _grid(grid: Grid) -> Flowable:
    rows = [[_content(cell) for cell in row] for row in grid.rows]
    marks = [grid.numbers[place : place + 1] == "n" for place in range(_columns(grid))]
    styles = [_style(_SMALL, right=mark) for mark in marks]
    cells = [[Text(cell, style) for cell, style in zip(row, styles, strict=True)] for row in rows]
    if grid.head:
        head = [_style(_SMALL, dim=True, right=mark) for mark in marks]
        names = zip(grid.head, head, strict=True)
        cells.insert(0, [Text(marked(name), style) for name, style in names])
    lines = [
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 1.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
    ]
    return LongTable(
        cells, colWidths=_widths(grid), style=lines, repeatRows=1 if grid.head else 0, hAlign="LEFT"
    )


def _columns(grid: Grid) -> int:
    return len(grid.head) or len(grid.rows[0])


def _widths(grid: Grid) -> list[float]:
    """Return widths by the longest text of each column, within bounds."""
    rows = [*([grid.head] if grid.head else []), *grid.rows]
    longest = [max(len(_plain(row[place])) for row in rows) for place in range(_columns(grid))]
    wanted = [min(_WIDEST, max(_NARROWEST, length)) + 2 for length in longest]
    return [_WIDTH * one / sum(wanted) for one in wanted]


def _pictures(block: Pictures, folder: Path) -> Iterator[Flowable]:
    for picture in block.pictures:
        yield Image(str(folder / picture.file), _WIDTH, _TALLEST, kind="proportional")
        yield Text(marked(picture.caption), _style(_SMALL, dim=True))


def _plain(content: Content) -> str:
    match content:
        case StateWord():
            return content.words or WORDS.get(content.state, content.state)
        case Link():
            return content.text
        case _:
            return content


def _content(content: Content) -> str:
    """Return a cell as reportlab's markup, with all of its text escaped."""
    text = marked(_plain(content))
    if isinstance(content, StateWord):
        colour = _COLOURS[TONES.get(content.state, "quiet")]
        return f'<font color="{colour}" name="{BOLD}">{text}</font>'
    if isinstance(content, Link) and content.place.startswith("#"):
        return f'<a href="{escape(content.place)}" color="{_COLOURS["asked"]}">{text}</a>'
    return text


def _style(
    size: float, *, bold: bool = False, dim: bool = False, right: bool = False
) -> ParagraphStyle:
    return ParagraphStyle(
        "text",
        fontName=BOLD if bold else FONT,
        fontSize=size,
        leading=size * 1.35,
        textColor=_DIM if dim else _INK,
        alignment=2 if right else 0,
        splitLongWords=1,
    )
