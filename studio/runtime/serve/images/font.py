"""A small bitmap font: printable ASCII, 5 columns by 9 rows, two of them below the line."""

from __future__ import annotations

import unicodedata
from typing import Dict, Sequence

import numpy as np

ROWS, COLUMNS = 9, 5
ADVANCE = COLUMNS + 1
"""Columns from a character to the next one."""

_GLYPHS = (
    "0 4444404 aaa aavavaa 4fke5u4 op248j3 cik8lid 444 2488842",
    "8422248 04lel40 044v440 00000c48 000v 00000cc 01248g0 ehjlphe 4c4444e",
    "eh1248v v2421he 26aiv22 vgu11he 68guhhe v124888 ehhehhe ehhf12c 0cc0cc0",
    "0cc0c48 248g842 00v0v00 8421248 eh12404 ehnlnge ehhvhhh uhhuhhu ehggghe",
    "uhhhhhu vgguggv vgguggg ehgnhhf hhhvhhh e44444e 72222ic hikokih ggggggv",
    "hrllhhh hhpljhh ehhhhhe uhhuggg ehhhlid uhhukih fgge11u v444444 hhhhhhe",
    "hhhhha4 hhhllla hha4ahh hhha444 v1248gv e88888e 0g84210 e22222e 4ah",
    "0000000v 842 00e1fhf ggmphhu 00egghe 11djhhf 00ehvge 698s888 00fhhhf1e",
    "ggmphhh 40c444e 2062222ic ggikoki c44444e 00qllhh 00mphhh 00ehhhe 00uhhhugg",
    "00fhhhf11 00mpggg 00fge1u 88s8896 00hhhjd 00hhha4 00hhlla 00ha4ah 00hhhhf1e",
    "00v248v 6448446 4444444 c44244c 008l200",
)
"""Of the characters from the space on. Each digit, to the base of 32, has the bits of a row."""

_FIRST = 0x20


def _glyph(rows: str) -> np.ndarray:
    numbers = [int(one, 32) for one in rows.ljust(ROWS, "0")]
    bits = [[number >> (COLUMNS - 1 - at) & 1 for at in range(COLUMNS)] for number in numbers]
    return np.array(bits, dtype=bool)


_KNOWN: Dict[str, np.ndarray] = {
    chr(_FIRST + at): _glyph(rows) for at, rows in enumerate(" ".join(_GLYPHS).split())
}


def plain(text: str) -> str:
    """Return a text in the characters of the font; accents are dropped, others become ``?``."""
    parts = unicodedata.normalize("NFKD", text)
    return "".join(one if one in _KNOWN else "?" for one in parts if not unicodedata.combining(one))


def bitmap(text: str, scale: int = 1) -> np.ndarray:
    """Return a line of text as a mask, rows x columns.

    Args:
        scale: Pixels of a dot along a side.
    """
    return _joined([_KNOWN[one] for one in plain(text)], scale)


def _joined(glyphs: Sequence[np.ndarray], scale: int) -> np.ndarray:
    mask = np.zeros((ROWS, ADVANCE * len(glyphs)), dtype=bool)
    for at, glyph in enumerate(glyphs):
        mask[:, at * ADVANCE : at * ADVANCE + COLUMNS] = glyph
    return np.repeat(np.repeat(mask, scale, axis=0), scale, axis=1)
