"""Fonts of the PDF: DejaVu, and one of the system for letters that it lacks."""

from __future__ import annotations

import functools
from html import escape
from itertools import groupby
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

from studio.documents.figures import font_folder

FONT, BOLD = "DejaVuSans", "DejaVuSans-Bold"

SYSTEM_FONTS = (
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/nanum/NanumGothic.ttf",
)
"""TrueType fonts of Debian with Chinese, Japanese or Korean letters, the best first."""


def register_fonts() -> None:
    """Make DejaVu known, which comes with matplotlib and has the letters of most languages."""
    fonts = font_folder()
    for name in (FONT, BOLD):
        pdfmetrics.registerFont(TTFont(name, str(fonts / f"{name}.ttf")))
    _letters.cache_clear()
    _font_of.cache_clear()


def marked(text: str) -> str:
    """Return a text as reportlab's markup, without markup and control characters of its own.

    Letters that DejaVu lacks are in a font of the system; without one, each is a box.
    """
    shown = "".join(char if char.isprintable() else " " for char in text)
    if shown.isascii():
        return escape(shown)
    parts = ((font, "".join(run)) for font, run in groupby(shown, _font_of))
    return "".join(_in_font(escape(part), font) for font, part in parts)


def lacking(text: str) -> str:
    """Return the letters of a text that no font here has, each once."""
    return "".join(dict.fromkeys(one for one in text if one.isprintable() and not _is_known(one)))


def _in_font(text: str, font: str) -> str:
    return text if font == FONT else f'<font name="{font}">{text}</font>'


def _is_known(char: str) -> bool:
    return char.isascii() or any(ord(char) in _letters(font) for font in (FONT, *_system_fonts()))


@functools.lru_cache(4096)
def _font_of(char: str) -> str:
    """Return the first font that has a letter; DejaVu where none has it."""
    if char.isascii() or ord(char) in _letters(FONT):
        return FONT
    return next((font for font in _system_fonts() if ord(char) in _letters(font)), FONT)


@functools.cache
def _letters(font: str) -> frozenset[int]:
    return frozenset(pdfmetrics.getFont(font).face.charToGlyph)


def _system_fonts() -> tuple[str, ...]:
    """Return the names of the fonts that this system has; they are read when first needed."""
    return tuple(name for name in (_registered(path) for path in SYSTEM_FONTS) if name)


def _registered(path: str) -> str:
    """Return the name of a font of the system; empty where it cannot be read."""
    name = Path(path).stem
    if name not in pdfmetrics.getRegisteredFontNames():
        try:
            pdfmetrics.registerFont(TTFont(name, path))
        except (TTFError, OSError):
            return ""
    return name
